import { randomBytes, randomUUID } from 'node:crypto';
import { Outbox } from '@glacis/events';
import { Audit } from '@glacis/identity';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { actorOf, type JobsCaller } from '../access/callers.js';
import { JobTokens } from '../access/job-tokens.js';
import { MODE, type Mode } from '../access/mode.js';
import { redactSql } from '../access/redact.js';
import type { Job, JobParty } from '../jobs/job.entity.js';
import { JobEvents } from '../jobs/job-events.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { Quotas } from '../jobs/quotas.js';
import { draftOf, type Draft } from '../plan/draft.js';
import { ConfiguredDrivers } from '../plan/drivers.js';
import { firstPlan } from '../plan/plan-version.js';
import { PartyKeys } from '../runs/party-keys.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { bucketName } from '../storage/names.js';
import { Buckets, creationError } from './buckets.js';
import { refusals } from './contract-error.js';
import type { ContractReply } from './contract-reply.js';
import { readCreate } from './create-body.js';

/** Tenant of jobs that were made without a token. */
const openTenant = 'default';

@Injectable()
export class CreateJob {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(MODE) private readonly mode: Mode,
    @Inject(ConfiguredDrivers) private readonly drivers: ConfiguredDrivers,
    @Inject(PartyKeys) private readonly keys: PartyKeys,
    @Inject(Buckets) private readonly buckets: Buckets,
    @Inject(Quotas) private readonly quotas: Quotas,
    @Inject(JobTokens) private readonly tokens: JobTokens,
    @Inject(JobEvents) private readonly events: JobEvents,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** @throws {ContractError} 401 or 403 for those who may not create jobs */
  allow({ who }: JobsCaller): void {
    if (who.kind === 'nobody' && !this.mode.open) throw refusals.unauthenticated();
    if (who.kind === 'holder') throw refusals.forbidden();
  }

  /** Checks 8 to 14 (`jobs.md` 2.2), then the job with its buckets. */
  async create(caller: JobsCaller, body: Record<string, unknown>): Promise<ContractReply> {
    const needsKey = !this.mode.open && this.settings.resultKey === 'auto';
    const draft = draftOf(readCreate(body, this.settings, needsKey), this.settings, this.drivers);
    const job = this.jobOf(caller, draft);
    await this.store.transaction((tx) => this.quotas.check(tx, job.tenant, job.analyst));
    const parties = await this.partiesOf(job);
    await this.buckets.create(parties, job.createdAt, job.resultKey !== null);
    try {
      const token = await this.store.transaction((tx) =>
        this.insert(tx, caller, { draft, job, parties }),
      );
      return { contract: { job_id: job.id }, extension: { ...shownOf(job), ...token } };
    } catch (error) {
      await this.buckets.delete(parties);
      throw error;
    }
  }

  private jobOf({ who }: JobsCaller, draft: Draft): Job {
    const { request, compiled, queryHash, schemaHash, placement } = draft;
    const { execution, isolation, warnings, policyNeeded } = draft;
    const { name, sql, minGroupSize, minOwners, maxSharePercent } = request;
    const { deadlineSeconds, resultKey } = request;
    const now = this.clock.now();
    const member = who.kind === 'member' ? who : undefined;
    return {
      ...{
        id: randomUUID(),
        tenant: member?.tenant ?? openTenant,
        analyst: member?.subject ?? null,
      },
      ...{
        name,
        sql,
        queryHash,
        schema: request.sent,
        schemaHash,
        placement,
        execution,
        isolation,
      },
      ...{ minGroupSize, minOwners, maxSharePercent, deadlineSeconds, resultKey, policyNeeded },
      ...{
        warnings,
        options: draft.options,
        limits: compiled.plan.limits,
        salt: randomBytes(32),
        state: 'created',
      },
      ...{ attempt: 1, progress: 0, createdAt: now, updatedAt: now, ...nothingYet },
    };
  }

  private async partiesOf(job: Job): Promise<JobParty[]> {
    const { bucketPrefix: prefix } = this.settings;
    const made = job.execution === 'local' ? await this.makeKeys(job) : [];
    return job.placement.map((provider, party) => ({
      job: job.id,
      party,
      provider,
      inBucket: bucketName(prefix, 'in', job.id, party),
      outBucket: bucketName(prefix, 'out', job.id, party),
      sealKey: made[party]?.sealKey ?? null,
      macKey: made[party]?.macKey ?? null,
    }));
  }

  private async makeKeys(job: Job): ReturnType<PartyKeys['make']> {
    try {
      return await this.keys.make(job);
    } catch (error) {
      throw creationError('local', error);
    }
  }

  private async insert(
    tx: Tx,
    caller: JobsCaller,
    made: { draft: Draft; job: Job; parties: JobParty[] },
  ): Promise<{ analyst_token?: string }> {
    const { draft, job, parties } = made;
    const { id, tenant, attempt, queryHash, execution, placement } = job;
    await this.quotas.check(tx, tenant, job.analyst);
    await this.jobs.insert(tx, job, parties);
    await this.jobs.addPlan(tx, job, firstPlan(job, parties, draft.compiled));
    await this.events.add(tx, id, 'state', { state: 'created', attempt, label: null });
    await this.outbox.add(tx, {
      type: 'job.created',
      subject: id,
      tenant,
      data: { job_id: id, query_hash: queryHash, execution, providers: placement },
      traceparent: caller.traceparent,
    });
    await this.audit.record(tx, {
      actor: actorOf(caller),
      tenant,
      action: 'job.create',
      subject: id,
      requestId: caller.requestId,
      after: { query: redactSql(job.sql), query_hash: queryHash, execution, placement },
    });
    if (!this.mode.open) return {};
    const holder = { role: 'analyst', job: id, tenant, owner: null } as const;
    return { analyst_token: (await this.tokens.issue(tx, holder)).token };
  }
}

const nothingYet = {
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
