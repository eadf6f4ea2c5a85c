import { randomBytes, randomUUID } from 'node:crypto';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import { MODE, type Mode } from '../access/mode.js';
import type { Job } from '../jobs/job.entity.js';
import { draftOf, type Draft } from '../plan/draft.js';
import { ConfiguredDrivers } from '../plan/drivers.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { refusals } from './contract-error.js';
import type { ContractReply } from './contract-reply.js';
import { readCreate } from './create-body.js';
import { NewJobs } from './new-jobs.js';
import { PartyBuckets } from './party-buckets.js';

/** Tenant of jobs that were made without a token. */
const openTenant = 'default';

/** `create_job` (`jobs.md` 2.2). */
@Injectable()
export class CreateJob {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(MODE) private readonly mode: Mode,
    @Inject(ConfiguredDrivers) private readonly drivers: ConfiguredDrivers,
    @Inject(PartyBuckets) private readonly buckets: PartyBuckets,
    @Inject(NewJobs) private readonly newJobs: NewJobs,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** @throws {ContractError} 401 or 403 for those who may not create jobs */
  allow({ who }: JobsCaller): void {
    if (who.kind === 'nobody' && !this.mode.open) throw refusals.unauthenticated();
    if (who.kind === 'holder') throw refusals.forbidden();
  }

  /** Checks 8 to 14, then the job with its buckets. @throws {ContractError} */
  async create(caller: JobsCaller, body: Record<string, unknown>): Promise<ContractReply> {
    const draft = this.draft(body, !this.mode.open && this.settings.resultKey === 'auto');
    const job = jobOf(caller, draft, this.clock.now());
    await this.store.transaction((tx) => this.newJobs.admit(tx, job));
    const parties = await this.buckets.make(job);
    const made = { job, parties, compiled: draft.compiled };
    try {
      const token = await this.store.transaction((tx) => this.newJobs.insert(tx, caller, made));
      return { contract: { job_id: job.id }, extension: { ...shownOf(job), ...token } };
    } catch (error) {
      await this.buckets.delete(parties);
      throw error;
    }
  }

  /** Checks 8 to 12. @throws {ContractError} */
  draft(body: Record<string, unknown>, needsKey: boolean): Draft {
    return draftOf(readCreate(body, this.settings, needsKey), this.settings, this.drivers);
  }
}

function jobOf({ who }: JobsCaller, draft: Draft, now: Date): Job {
  const { request, compiled, placement, execution, isolation, warnings } = draft;
  const { sent, sql, name, minGroupSize, minOwners, maxSharePercent } = request;
  const member = who.kind === 'member' ? who : undefined;
  return {
    ...nothingYet,
    id: randomUUID(),
    tenant: member?.tenant ?? openTenant,
    analyst: member?.subject ?? null,
    name,
    sql,
    queryHash: draft.queryHash,
    schema: sent,
    schemaHash: draft.schemaHash,
    placement,
    execution,
    isolation,
    minGroupSize,
    minOwners,
    maxSharePercent,
    deadlineSeconds: request.deadlineSeconds,
    resultKey: request.resultKey,
    salt: randomBytes(32),
    options: draft.options,
    limits: compiled.plan.limits,
    policyNeeded: draft.policyNeeded,
    warnings,
    createdAt: now,
    updatedAt: now,
  };
}

const nothingYet = {
  state: 'created' as const,
  attempt: 1,
  progress: 0,
  reached: null,
  failure: null,
  cancelReason: null,
  teardown: null,
  leaseOwner: null,
  leaseToken: null,
  leaseUntil: null,
  submittedAt: null,
  startedAt: null,
  endedAt: null,
  deadlineAt: null,
  acknowledgedAt: null,
};

/** Extension members of the answer, in their order. */
function shownOf(job: Job): Record<string, unknown> {
  return {
    ...(job.warnings.length > 0 && { warnings: job.warnings }),
    execution: job.execution,
    isolation: job.isolation,
    query_hash: job.queryHash,
    schema_hash: job.schemaHash,
    policy_needed: job.policyNeeded,
  };
}
