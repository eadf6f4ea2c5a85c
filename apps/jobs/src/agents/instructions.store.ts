import type { Instruction, InstructionStep, Report } from '@glacis/contracts';
import type { Queryable } from '@glacis/store';
import type { Instructed } from './agent.entity.js';

export interface NewInstruction {
  id: string;
  agentId: string;
  step: InstructionStep;
  planHash: string | null;
  body: unknown;
  now: Date;
}

/** Without effect when the agent has an instruction of this step. */
export async function insertInstruction(db: Queryable, given: NewInstruction): Promise<void> {
  await db.query(
    `INSERT INTO agent_instructions (id, agent_id, step, plan_hash, body, created_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (agent_id, step) DO NOTHING`,
    [given.id, given.agentId, given.step, given.planHash, JSON.stringify(given.body), given.now],
  );
}

/** The oldest instruction that the agent has not acknowledged. */
export async function nextInstruction(
  db: Queryable,
  agentId: string,
): Promise<Instruction | undefined> {
  const [row] = await db.query<Instruction>(
    `SELECT id, step, plan_hash, body FROM agent_instructions
     WHERE agent_id = $1 AND accepted_at IS NULL AND ended_at IS NULL
     ORDER BY created_at, id LIMIT 1`,
    [agentId],
  );
  return row;
}

/** What became of the instructions of one step. */
export async function instructedOf(
  db: Queryable,
  agentIds: readonly string[],
  step: InstructionStep,
): Promise<Instructed[]> {
  return db.query<Instructed>(
    `SELECT i.id, i.agent_id AS "agentId", a.party, i.step, i.ended_at AS "endedAt", i.failure,
       i.findings, i.result
     FROM agent_instructions i JOIN agents a ON a.id = i.agent_id
     WHERE i.agent_id = ANY($1) AND i.step = $2 ORDER BY a.party`,
    [agentIds, step],
  );
}

/** False when the report was there before. */
export async function insertReport(
  db: Queryable,
  agentId: string,
  reportId: string,
): Promise<boolean> {
  const rows = await db.query(
    'INSERT INTO agent_reports (agent_id, id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1',
    [agentId, reportId],
  );
  return rows.length > 0;
}

/** An instruction of another agent, or one that has ended, stays as it is. */
export async function applyReport(
  db: Queryable,
  agentId: string,
  report: Report,
  now: Date,
): Promise<void> {
  if (report.status === 'accepted') {
    await db.query(
      `UPDATE agent_instructions SET accepted_at = $3
       WHERE id::text = $1 AND agent_id = $2 AND accepted_at IS NULL`,
      [report.instruction, agentId, now],
    );
    return;
  }
  await db.query(
    `UPDATE agent_instructions SET ended_at = $3, failure = $4, findings = $5, result = $6
     WHERE id::text = $1 AND agent_id = $2 AND ended_at IS NULL`,
    [report.instruction, agentId, now, ...documentsOf(report)],
  );
}

function documentsOf({ status, failure, findings, result }: Report): (string | null)[] {
  const unnamed = { class: 'engine', code: 'unnamed', message: 'the agent named no cause' };
  const failed = status === 'failed' ? (failure ?? unnamed) : null;
  return [failed, findings, result].map((value) =>
    value === undefined || value === null ? null : JSON.stringify(value),
  );
}
