import type { Queryable } from '@glacis/store';
import type { Agent } from '../agents/agent.entity.js';
import { agentColumns } from '../agents/agents.store.js';

/**
 * Living agents that no attempt has use for: of a job that is gone, has ended or began its next attempt; and those older
 * than the time given that made keys, or checked data of a job that was not submitted then.
 */
export async function strayAgents(db: Queryable, olderThan: Date): Promise<Agent[]> {
  return db.query<Agent>(
    `SELECT ${agentColumns} FROM agents
     LEFT JOIN (SELECT id AS job, state, attempt AS current FROM jobs) j ON j.job = job_id
     WHERE ended_at IS NULL AND (
       (started_at < $1 AND (job IS NULL OR attempt = 0 OR state IN ('created', 'validating')))
       OR state IN ('success', 'fail', 'cancelled') OR (attempt > 0 AND attempt < current)
     ) LIMIT 1000`,
    [olderThan],
  );
}

/** Those of the run ids whose agents live. */
export async function livingRuns(db: Queryable, runIds: readonly string[]): Promise<Set<string>> {
  const rows = await db.query<{ id: string }>(
    'SELECT id FROM agents WHERE id::text = ANY($1) AND ended_at IS NULL',
    [runIds],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Jobs that ended before all of theirs was confirmed gone, and now have nothing left. */
export async function closeTeardowns(db: Queryable): Promise<void> {
  await db.query(
    `UPDATE jobs SET teardown = 'done' WHERE teardown = 'pending' AND NOT EXISTS (
       SELECT 1 FROM agents WHERE job_id = jobs.id AND ended_at IS NULL)`,
  );
}

/** What decides how long the buckets of a job are kept. */
export interface KeptJob {
  endedAt: Date | null;
  /** Its results are sealed. */
  sealed: boolean;
  acknowledgedAt: Date | null;
}

/** Those of the ids that are jobs. */
export async function keptJobs(
  db: Queryable,
  ids: readonly string[],
): Promise<Map<string, KeptJob>> {
  const rows = await db.query<KeptJob & { id: string }>(
    `SELECT id, ended_at AS "endedAt", result_key IS NOT NULL AS sealed, acknowledged_at AS "acknowledgedAt"
     FROM jobs WHERE id::text = ANY($1)`,
    [ids],
  );
  return new Map(rows.map(({ id, ...job }) => [id, job]));
}
