import type { Queryable } from '@glacis/store';
import type { Receipt } from '@glacis/contracts';
import type { Failure } from '../jobs/job.entity.js';
import { steps, teardownStep, type StepName } from './steps.js';

const names = [...steps.map(({ name }) => name), teardownStep.name];

export interface StepRef {
  job: string;
  attempt: number;
  step: StepName | 'teardown';
}

/** The rows of an attempt. Harmless to repeat. */
export async function insertSteps(db: Queryable, job: string, attempt: number): Promise<void> {
  await db.query(
    `INSERT INTO job_steps (job, attempt, step, place)
     SELECT $1, $2, name, place FROM unnest($3::text[]) WITH ORDINALITY AS step(name, place)
     ON CONFLICT DO NOTHING`,
    [job, attempt, names],
  );
}

/** Counts a try; gives its number. */
export async function beginStep(db: Queryable, ref: StepRef, now: Date): Promise<number> {
  const [row] = await db.query<{ tries: number }>(
    `UPDATE job_steps SET tries = tries + 1, started_at = coalesce(started_at, $4), ended_at = NULL
     WHERE job = $1 AND attempt = $2 AND step = $3 RETURNING tries`,
    [ref.job, ref.attempt, ref.step, now],
  );
  return row?.tries ?? 1;
}

export async function endStep(
  db: Queryable,
  ref: StepRef,
  now: Date,
  failure?: Failure,
): Promise<void> {
  await db.query(
    `UPDATE job_steps SET ended_at = $4, failure = $5 WHERE job = $1 AND attempt = $2 AND step = $3`,
    [ref.job, ref.attempt, ref.step, now, failure ? JSON.stringify(failure) : null],
  );
}

export async function setProgress(db: Queryable, job: string, progress: number): Promise<void> {
  await db.query('UPDATE jobs SET progress = greatest(progress, $2) WHERE id = $1', [
    job,
    progress,
  ]);
}

/** One exported result file. */
export interface JobResult {
  party: number;
  bytes: number;
  sha256: string;
  sealed: boolean;
  slots: number;
  receipt: Receipt;
}

export async function insertResults(
  db: Queryable,
  { job, attempt }: Omit<StepRef, 'step'>,
  results: readonly JobResult[],
): Promise<void> {
  for (const { party, bytes, sha256, sealed, slots, receipt } of results) {
    await db.query(
      `INSERT INTO job_results (job, attempt, party, bytes, sha256, sealed, slots, receipt)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
      [job, attempt, party, bytes, sha256, sealed, slots, JSON.stringify(receipt)],
    );
  }
}

/** The results of an attempt in party order. */
export async function resultsOf(db: Queryable, job: string, attempt: number): Promise<JobResult[]> {
  const rows = await db.query<JobResult & { bytes: string }>(
    `SELECT party, bytes, sha256, sealed, slots, receipt FROM job_results
     WHERE job = $1 AND attempt = $2 ORDER BY party`,
    [job, attempt],
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}
