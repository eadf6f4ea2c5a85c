import type { JobFacts } from '@glacis/contracts';
import type { Queryable } from '@glacis/store';
import type { Job } from '../jobs/job.entity.js';

/** Of the plan version in force (jobs.md 9), what agents are told. */
export interface PlanInForce {
  /** Member `facts` of plan version 2. */
  facts: JobFacts;
  /** SHA-256 of the plan version. */
  hash: string;
}

/** The newest version, of this attempt or of one before it, whose facts but for the attempt hold on. */
export async function planInForce(
  db: Queryable,
  { id, attempt }: Pick<Job, 'id' | 'attempt'>,
): Promise<PlanInForce> {
  const [row] = await db.query<{ plan: string; hash: string }>(
    'SELECT plan, hash FROM plans WHERE job = $1 ORDER BY attempt DESC, version DESC LIMIT 1',
    [id],
  );
  const { facts } = JSON.parse(row?.plan ?? '{}') as { facts?: JobFacts };
  if (row === undefined || facts === undefined) throw new Error('the job has no plan to run');
  return { facts: { ...facts, attempt }, hash: row.hash };
}
