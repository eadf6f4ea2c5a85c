import type { UploadSet } from '../owners/owner.entity.js';
import { labelOf } from '../state.js';
import { toldFailure } from '../validation/told.js';
import type { Job } from './job.entity.js';

const timeOf = (time: Date | null): string | null => time?.toISOString() ?? null;

/** A job as its analyst and admins see it in lists. */
export function listedJob(job: Job): Record<string, unknown> {
  return {
    job_id: job.id,
    analysis_name: job.name,
    state: job.state,
    label: labelOf(job.state, job.reached),
    execution: job.execution,
    isolation: job.isolation,
    placement: job.placement,
    attempt: job.attempt,
    progress: job.progress,
    failure: job.failure,
    cancel_reason: job.cancelReason,
    teardown: job.teardown,
    warnings: job.warnings,
    created_at: timeOf(job.createdAt),
    updated_at: timeOf(job.updatedAt),
    submitted_at: timeOf(job.submittedAt),
    started_at: timeOf(job.startedAt),
    ended_at: timeOf(job.endedAt),
    deadline_at: timeOf(job.deadlineAt),
  };
}

/** The same without what lies between an owner and its own data. */
export function analystsJob(job: Job): Record<string, unknown> {
  return { ...listedJob(job), failure: job.failure && toldFailure(job.failure) };
}

/** What the query is about. */
export function queryOf(job: Job): Record<string, unknown> {
  return {
    query_sql: job.sql,
    query_hash: job.queryHash,
    schema: job.schema.schema ?? null,
    tables: job.schema.tables ?? null,
    schema_hash: job.schemaHash,
    limits: job.limits,
    policy_needed: job.policyNeeded,
  };
}

export interface Retention {
  days: number;
  sealed_days: number;
}

/** A job as an owner sees it before and after it decides. */
export function ownersJob(
  job: Job,
  retention: Retention,
  sets: readonly UploadSet[],
): Record<string, unknown> {
  return {
    job_id: job.id,
    analysis_name: job.name,
    ...queryOf(job),
    placement: job.placement,
    execution: job.execution,
    isolation: job.isolation,
    retention,
    state: job.state,
    sets: sets.map(({ number, tableName, expiresAt }) => ({
      set: number,
      table: tableName,
      expires_at: expiresAt.toISOString(),
    })),
  };
}
