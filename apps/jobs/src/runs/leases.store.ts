import type { Queryable } from '@glacis/store';
import { JOB_STATES } from '../state.js';

/** Milliseconds that a lease holds, and between two renewals (jobs.md 9). */
export const leaseMs = 30_000;
export const renewMs = 10_000;

/** States in which a worker has something to do. */
const waiting = JOB_STATES.filter(
  (state) => !['created', 'validating', 'success', 'fail', 'cancelled'].includes(state),
);

export interface Lease {
  job: string;
  token: string;
}

/**
 * Claims jobs that nobody holds, the longest waiting first. One that was reserved for this replica is there for it alone
 * until the reservation ends.
 */
export async function claimJobs(
  db: Queryable,
  { replica, leaseMs, limit }: { replica: string; leaseMs: number; limit: number },
): Promise<Lease[]> {
  return db.query<Lease>(
    `UPDATE jobs SET lease_owner = $1, lease_token = gen_random_uuid(), lease_until = now() + $2 * interval '1 ms'
     WHERE id IN (
       SELECT id FROM jobs WHERE state = ANY($3)
         AND (lease_until IS NULL OR lease_until < now() OR (lease_owner = $1 AND lease_token IS NULL))
       ORDER BY submitted_at, id LIMIT $4 FOR UPDATE SKIP LOCKED
     ) RETURNING id AS job, lease_token AS token`,
    [replica, leaseMs, waiting, limit],
  );
}

/** Leaves the job to this replica for a while, which has agents for it already. */
export async function reserve(
  db: Queryable,
  { job, replica, forMs }: { job: string; replica: string; forMs: number },
): Promise<void> {
  await db.query(
    `UPDATE jobs SET lease_owner = $2, lease_token = NULL, lease_until = now() + $3 * interval '1 ms'
     WHERE id = $1`,
    [job, replica, forMs],
  );
}

/** Tokens of the leases that still hold. */
export async function renewLeases(
  db: Queryable,
  tokens: readonly string[],
  leaseMs: number,
): Promise<Set<string>> {
  const rows = await db.query<{ token: string }>(
    `UPDATE jobs SET lease_until = now() + $2 * interval '1 ms' WHERE lease_token = ANY($1)
     RETURNING lease_token AS token`,
    [tokens, leaseMs],
  );
  return new Set(rows.map(({ token }) => token));
}

/** Whether the lease still is the job's; if so it is until the end of the transaction. */
export async function holdsLease(db: Queryable, { job, token }: Lease): Promise<boolean> {
  const rows = await db.query(
    'SELECT 1 FROM jobs WHERE id = $1 AND lease_token = $2 FOR NO KEY UPDATE',
    [job, token],
  );
  return rows.length > 0;
}

export async function releaseLease(db: Queryable, token: string): Promise<void> {
  await db.query(
    'UPDATE jobs SET lease_owner = NULL, lease_token = NULL, lease_until = NULL WHERE lease_token = $1',
    [token],
  );
}

/** Place in the queue, from 1; undefined where the job does not wait. */
export async function queuePlace(db: Queryable, job: string): Promise<number | undefined> {
  const [row] = await db.query<{ place: string | null }>(
    `SELECT (SELECT count(*) FROM jobs o WHERE o.state = 'submitted'
       AND (o.submitted_at, o.id) <= (j.submitted_at, j.id)) AS place
     FROM jobs j WHERE j.id = $1 AND j.state = 'submitted'`,
    [job],
  );
  return row?.place == null ? undefined : Number(row.place);
}

/** Jobs in the queue. */
export async function waitingJobs(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM jobs WHERE state = 'submitted'`,
  );
  return row?.count ?? 0;
}
