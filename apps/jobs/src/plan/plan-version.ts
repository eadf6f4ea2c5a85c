import type { Compiled } from '@glacis/mpc';
import type { Json } from '@glacis/shares';
import type { Job, JobParty } from '../jobs/job.entity.js';
import { sha256 } from './draft.js';

/** A version of the plan of an attempt (`jobs.md` 9). It never changes; agents are told its hash. */
export interface PlanVersion {
  version: 1 | 2;
  /** JSON. */
  plan: string;
  /** SHA-256 of that text. */
  hash: string;
}

/** Of create: what runs where, and what is computed. */
export function firstPlan(job: Job, parties: readonly JobParty[], compiled: Compiled): PlanVersion {
  return versionOf(1, {
    job_id: job.id,
    engine: 'embedded',
    query_hash: job.queryHash,
    schema_hash: job.schemaHash,
    query_plan: compiled.planHash,
    placement: job.placement,
    buckets: parties.map(({ party, inBucket, outBucket }) => ({
      party,
      in: inBucket,
      out: outBucket,
    })),
    limits: { ...compiled.plan.limits },
    leakage: compiled.leakage,
  });
}

export function versionOf(version: 1 | 2, members: Record<string, Json>): PlanVersion {
  // As it is: the order of columns says in which order share files have them.
  const plan = JSON.stringify({ ...members, version });
  return { version, plan, hash: sha256(plan) };
}
