import { Outbox } from '@glacis/events';
import type { Compiled } from '@glacis/mpc';
import type { Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import { JobTokens } from '../access/job-tokens.js';
import { MODE, type Mode } from '../access/mode.js';
import { redactSql } from '../access/redact.js';
import type { Job, JobParty } from '../jobs/job.entity.js';
import { JobEvents } from '../jobs/job-events.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { Journal } from '../jobs/journal.js';
import { Quotas } from '../jobs/quotas.js';
import { firstPlan } from '../plan/plan-version.js';

/** A job with all that was made for it. */
export interface MadeJob {
  job: Job;
  parties: readonly JobParty[];
  compiled: Compiled;
}

/** Records new jobs: rows, plan, events and trail together. */
@Injectable()
export class NewJobs {
  constructor(
    @Inject(Quotas) private readonly quotas: Quotas,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(JobEvents) private readonly events: JobEvents,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(JobTokens) private readonly tokens: JobTokens,
    @Inject(MODE) private readonly mode: Mode,
  ) {}

  /** Check 13. @throws {ContractError} 429 */
  async admit(tx: Tx, { tenant, analyst }: Job): Promise<void> {
    await this.quotas.check(tx, tenant, analyst);
  }

  /**
   * @returns in mode `open` the token of its analyst
   * @throws {ContractError} 429 when others have used up the quota meanwhile
   */
  async insert(
    tx: Tx,
    caller: JobsCaller,
    { job, parties, compiled }: MadeJob,
  ): Promise<{ analyst_token?: string }> {
    const { id, tenant, attempt, queryHash, execution, placement } = job;
    await this.admit(tx, job);
    await this.jobs.insert(tx, job, parties);
    await this.jobs.addPlan(tx, job, firstPlan(job, parties, compiled));
    const told = { state: 'created', attempt, label: null, progress: 0 };
    await this.events.add(tx, id, 'state', told);
    await this.outbox.add(tx, {
      type: 'job.created',
      subject: id,
      tenant,
      data: { job_id: id, query_hash: queryHash, execution, providers: placement },
      traceparent: caller.traceparent,
    });
    const detail = { query: redactSql(job.sql), query_hash: queryHash, execution, placement };
    await this.journal.note(tx, caller, job, { action: 'job.create', detail });
    if (!this.mode.open) return {};
    const holder = { role: 'analyst', job: id, tenant, owner: null } as const;
    return { analyst_token: (await this.tokens.issue(tx, holder)).token };
  }
}
