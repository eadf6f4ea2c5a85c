import type { Queryable } from '@glacis/store';
import type { Agent } from './agent.entity.js';

export const agentColumns = `id, job_id AS "jobId", attempt, party, tenant, provider, instance, uri, mac_key AS "macKey",
  started_at AS "startedAt", enrolled_at AS "enrolledAt", heard_at AS "heardAt"`;

export interface NewAgent {
  id: string;
  jobId: string;
  attempt: number;
  party: number;
  tenant: string;
  provider: string;
  tokenSha256: Buffer;
  tokenUntil: Date;
  startedAt: Date;
}

/** @throws a unique violation of `agents_living` while the party's agent before it is not ended */
export async function insertAgent(db: Queryable, agent: NewAgent): Promise<void> {
  await db.query(
    `INSERT INTO agents (id, job_id, attempt, party, tenant, provider, token_sha256, token_until, started_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      agent.id,
      agent.jobId,
      agent.attempt,
      agent.party,
      agent.tenant,
      agent.provider,
      agent.tokenSha256,
      agent.tokenUntil,
      agent.startedAt,
    ],
  );
}

export async function setInstance(db: Queryable, id: string, instance: unknown): Promise<void> {
  await db.query('UPDATE agents SET instance = $2 WHERE id = $1', [id, JSON.stringify(instance)]);
}

/** Whom a token belongs to, and whether it still counts. */
export async function agentOfToken(
  db: Queryable,
  tokenSha256: Buffer,
  now: Date,
): Promise<(Agent & { expired: boolean }) | undefined> {
  const [row] = await db.query<Agent & { expired: boolean }>(
    `SELECT ${agentColumns}, token_until <= $2 OR ended_at IS NOT NULL AS expired
     FROM agents WHERE token_sha256 = $1`,
    [tokenSha256, now],
  );
  return row;
}

/** Uses the token up; false when it was used before. */
export async function useToken(db: Queryable, id: string, now: Date): Promise<boolean> {
  const rows = await db.query(
    'UPDATE agents SET enrolled_at = $2 WHERE id = $1 AND enrolled_at IS NULL RETURNING 1',
    [id, now],
  );
  return rows.length > 0;
}

export interface Enrolled {
  id: string;
  certificateSha256: Buffer;
  certificateUntil: Date;
  uri: string;
  macKey: string;
  now: Date;
}

export async function setEnrolled(db: Queryable, enrolled: Enrolled): Promise<void> {
  await db.query(
    `UPDATE agents SET certificate_sha256 = $2, certificate_until = $3, uri = $4, mac_key = $5, heard_at = $6
     WHERE id = $1`,
    [
      enrolled.id,
      enrolled.certificateSha256,
      enrolled.certificateUntil,
      enrolled.uri,
      enrolled.macKey,
      enrolled.now,
    ],
  );
}

/** The living agent that a certificate was issued to, which is hereby heard. */
export async function hearAgent(
  db: Queryable,
  certificateSha256: Buffer,
  now: Date,
): Promise<Agent | undefined> {
  const [row] = await db.query<Agent>(
    `UPDATE agents SET heard_at = $2
     WHERE certificate_sha256 = $1 AND certificate_until > $2 AND ended_at IS NULL
     RETURNING ${agentColumns}`,
    [certificateSha256, now],
  );
  return row;
}

/** Agents of a job, or of one attempt, that are not ended, in party order. */
export async function livingAgents(
  db: Queryable,
  jobId: string,
  attempt?: number,
): Promise<Agent[]> {
  return db.query<Agent>(
    `SELECT ${agentColumns} FROM agents
     WHERE job_id = $1 AND ($2::integer IS NULL OR attempt = $2) AND ended_at IS NULL
     ORDER BY attempt, party`,
    [jobId, attempt ?? null],
  );
}

/** Every agent that nobody has ended. */
export async function allLiving(db: Queryable): Promise<Agent[]> {
  return db.query<Agent>(
    `SELECT ${agentColumns} FROM agents WHERE ended_at IS NULL ORDER BY started_at LIMIT 1000`,
  );
}

export async function endAgent(db: Queryable, id: string, now: Date): Promise<void> {
  await db.query('UPDATE agents SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL', [id, now]);
}

/** Jobs that are gone, or never came to be, whose agents all ended before a time. */
export async function jobsOfEnded(db: Queryable, before: Date): Promise<string[]> {
  const rows = await db.query<{ job: string }>(
    `SELECT job_id AS job FROM agents WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = job_id)
     GROUP BY job_id HAVING bool_and(ended_at IS NOT NULL AND ended_at < $1) LIMIT 1000`,
    [before],
  );
  return rows.map(({ job }) => job);
}

/** The agents of a job with what they were told. */
export async function deleteAgents(db: Queryable, job: string): Promise<void> {
  await db.query('DELETE FROM agents WHERE job_id = $1', [job]);
}

/** What is told of agents that ended long ago. */
export async function purgeAgents(db: Queryable, before: Date): Promise<void> {
  await db.query('DELETE FROM agents WHERE ended_at < $1', [before]);
}
