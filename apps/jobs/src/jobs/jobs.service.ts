import { Outbox } from '@glacis/events';
import { problems } from '@glacis/http';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { actorOf, type Holder, type JobsCaller, type Member } from '../access/callers.js';
import type { AccessedJob } from '../access/job-access.js';
import { alreadyEnded, notFailed, notRetryable, running, teardownPending } from '../problems.js';
import { Runs, type RetryFrom } from '../runs/runs.service.js';
import type { JobState } from '../state.js';
import type { Job } from './job.entity.js';
import { JobShow } from './job-show.js';
import { JobsStore, type JobFilter } from './jobs.store.js';
import { Journal } from './journal.js';
import { cursorOf, positionOf, type ListQuery } from './listing.js';
import { Transitions } from './transitions.js';
import { analystsJob, listedJob } from './views.js';

const defaultLimit = 50;
/** Times that a decision is made again because the job has moved on meanwhile. */
const attempts = 20;

/** Classes that fail the same way with the same data. */
const lasting = new Set(['data', 'policy']);

@Injectable()
export class JobsService {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(JobShow) private readonly shows: JobShow,
    @Inject(Transitions) private readonly transitions: Transitions,
    @Inject(Runs) private readonly runs: Runs,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** An analyst's own, all of the tenant for an admin, the one of a token of a job. */
  async list({ who }: JobsCaller, query: ListQuery): Promise<Record<string, unknown>> {
    if (who.kind === 'nobody') throw problems.unauthenticated('a token is needed');
    if (who.kind === 'holder' && who.role === 'owner') throw problems.forbidden('not for owners');
    const limit = query.limit ?? defaultLimit;
    const jobs = await this.jobs.list({
      ...seenBy(who),
      state: query.state,
      name: query.name,
      createdAfter: query.created_after,
      before: positionOf(query.cursor),
      limit,
    });
    const last = jobs.at(-1);
    const next = last && jobs.length === limit ? cursorOf(last) : null;
    return { items: jobs.map(isAdmin(who) ? listedJob : analystsJob), next_cursor: next };
  }

  show(accessed: AccessedJob): Promise<Record<string, unknown>> {
    return this.shows.of(accessed);
  }

  /** From `created` and `validating` at once, from `submitted` on as soon as its attempt is ended. */
  cancel(caller: JobsCaller, { id }: Job, reason?: string): Promise<JobState> {
    return this.decided(id, async (job) => {
      const by = { actor: actorOf(caller), requestId: caller.requestId };
      if (['created', 'validating'].includes(job.state)) {
        const more = { ...by, cancelReason: reason, teardown: 'pending' } as const;
        const moved = await this.store.transaction((tx) =>
          this.transitions.transition(tx, job, 'cancelled', more),
        );
        return moved ? 'cancelled' : undefined;
      }
      if (!mayCancel(job.state)) throw alreadyEnded(`the job is ${job.state}`);
      const moved = await this.store.transaction((tx) =>
        this.runs.cancel(tx, job, { ...by, reason }),
      );
      return moved ? 'cancelling' : undefined;
    });
  }

  /** @returns the number of the attempt that begins */
  retry(caller: JobsCaller, { id }: Job, from: RetryFrom): Promise<number> {
    return this.decided(id, async (job) => {
      if (job.state !== 'fail' && job.state !== 'cancelled')
        throw notFailed(`the job is ${job.state}`);
      if (job.teardown === 'pending') throw teardownPending('the last attempt is not gone yet');
      const never = job.reached === null || lasting.has(job.failure?.class ?? '');
      if (from !== 'created' && never)
        throw notRetryable('what was submitted cannot run; retry from created');
      const by = { actor: actorOf(caller), requestId: caller.requestId };
      const moved = await this.store.transaction((tx) => this.runs.retry(tx, job, { ...by, from }));
      return moved ? job.attempt + 1 : undefined;
    });
  }

  /** Rows go now, buckets when the reaper comes: no job has them then. */
  delete(caller: JobsCaller, { id }: Job): Promise<true> {
    return this.decided(id, async (job) => {
      if (!mayDelete(job.state)) throw running(`the job is ${job.state}`);
      return this.store.transaction(async (tx) => {
        if (!(await this.jobs.delete(tx, job))) return undefined;
        await this.journal.note(tx, caller, job, { action: 'job.delete' });
        const { tenant } = job;
        await this.outbox.add(tx, {
          type: 'job.deleted',
          subject: id,
          tenant,
          data: { job_id: id },
        });
        return true as const;
      });
    });
  }

  /** Decides on the job as it is, again where it was changed before the decision came true. */
  private async decided<T>(id: string, decide: (job: Job) => Promise<T | undefined>): Promise<T> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const job = await this.jobs.find(id);
      if (job === undefined) throw problems.notFound('no such job');
      const result = await decide(job);
      if (result !== undefined) return result;
    }
    throw problems.unavailable('the job changes all the time');
  }
}

const isAdmin = (who: Member | Holder): boolean => who.kind === 'member' && who.admin;

function seenBy(who: Member | Holder): Pick<JobFilter, 'tenant' | 'analyst' | 'id'> {
  const { tenant } = who;
  if (who.kind === 'holder') return { tenant, id: who.job };
  return who.admin ? { tenant } : { tenant, analyst: who.subject };
}

const mayCancel = (state: JobState): boolean =>
  !['success', 'fail', 'cancelled', 'failing', 'cancelling', 'terminating'].includes(state);

const mayDelete = (state: JobState): boolean =>
  ['created', 'success', 'fail', 'cancelled'].includes(state);
