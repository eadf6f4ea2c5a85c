import { setTimeout as sleep } from 'node:timers/promises';
import { LOGGER, type Logger } from '@glacis/observability';
import { backoffMs, CLOCK, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { JobEvents } from '../jobs/job-events.js';
import { JobFeed } from '../jobs/job-feed.js';
import { JobLogs } from '../jobs/job-logs.js';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { Transitions } from '../jobs/transitions.js';
import { hasEnded, type JobState } from '../state.js';
import { Crews } from './crews.js';
import type { Lease } from './leases.store.js';
import { failureOf, Interrupted, type StepFailure } from './step-failure.js';
import { withinLimits } from './step-limits.js';
import { StepWorks } from './step-works.js';
import { progressAfter, stepOf, type Step } from './steps.js';
import { beginStep, endStep, insertResults, setProgress, type JobResult } from './steps.store.js';
import { Teardown } from './teardown.js';

/** Between two tries of a step (jobs.md 9). */
const betweenTries = { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 1 };

/** What each ending state leads to once nothing runs any more. */
const endOf: Partial<Record<JobState, JobState>> = {
  terminating: 'success',
  failing: 'fail',
  cancelling: 'cancelled',
};

/** Takes a job that this replica has claimed from state to state, as long as the lease holds. */
@Injectable()
export class Driver {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(Transitions) private readonly transitions: Transitions,
    @Inject(JobEvents) private readonly events: JobEvents,
    @Inject(JobFeed) private readonly feed: JobFeed,
    @Inject(JobLogs) private readonly logs: JobLogs,
    @Inject(StepWorks) private readonly works: StepWorks,
    @Inject(Crews) private readonly crews: Crews,
    @Inject(Teardown) private readonly teardown: Teardown,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param held aborted when the lease is lost, or the service stops */
  async drive(lease: Lease, held: AbortSignal): Promise<void> {
    while (!held.aborted) {
      const job = await this.jobs.find(lease.job);
      if (job?.leaseToken !== lease.token || hasEnded(job.state)) return;
      const end = endOf[job.state];
      const step = stepOf(job.state);
      if (end !== undefined) await this.end(job, end, held);
      else if (step !== undefined) await this.enter(job, step, held);
      else return;
    }
  }

  private async enter(job: Job, step: Step, held: AbortSignal): Promise<void> {
    if (job.state !== step.during) {
      await this.move(job, step.during);
      return;
    }
    const ref = { job: job.id, attempt: job.attempt, step: step.name };
    const tries = await this.noted(job, step, 'started', (tx) =>
      beginStep(tx, ref, this.clock.now()),
    );
    try {
      const results = await this.work(job, step, held);
      await this.noted(job, step, 'done', async (tx) => {
        await endStep(tx, ref, this.clock.now());
        await setProgress(tx, job.id, progressAfter(step.name));
        if (results !== undefined) await insertResults(tx, ref, results);
        await this.transitions.transition(tx, job, step.after, this.under(job));
      });
    } catch (error) {
      if (held.aborted || (error instanceof Interrupted && error.reason === 'state')) return;
      await this.failed(job, step, { error, tries, held });
    }
  }

  private work(job: Job, step: Step, held: AbortSignal): Promise<JobResult[] | undefined> {
    const deadlineMs = (job.deadlineAt?.getTime() ?? Infinity) - this.clock.now().getTime();
    const limits = {
      timeoutMs: step.timeoutMs,
      deadlineMs,
      lease: held,
      holds: async () => {
        const now = await this.jobs.find(job.id);
        return now?.state === job.state && now.leaseToken === job.leaseToken;
      },
      follow: (hear: () => void) => this.feed.follow(job.id, hear),
    };
    return withinLimits(limits, async (signal) => {
      const context = await this.works.context(job, signal);
      const { name } = step;
      if (name === 'export') return this.works.export(context);
      if (name !== 'teardown') await this.works.upTo(name, context);
      return undefined;
    });
  }

  private async failed(
    job: Job,
    step: Step,
    { error, tries, held }: { error: unknown; tries: number; held: AbortSignal },
  ): Promise<void> {
    const failure = failureOf(error);
    if (failure.code === 'internal')
      this.logger.error({ err: error, job: job.id, step: step.name }, 'a step of a job failed');
    if (failure.retryable && tries < step.tries) {
      await this.noted(job, step, 'failed', (tx) => this.log(tx, job, step, failure));
      await this.crews.end({ job, attempt: job.attempt });
      await sleep(backoffMs(betweenTries, tries), undefined, { signal: held }).catch(() => null);
      return;
    }
    const ref = { job: job.id, attempt: job.attempt, step: step.name };
    const shown = failure.asFailure(step.name);
    await this.noted(job, step, 'failed', async (tx) => {
      await endStep(tx, ref, this.clock.now(), shown);
      await this.log(tx, job, step, failure);
      await this.transitions.transition(tx, job, 'failing', { ...this.under(job), failure: shown });
    });
  }

  private async end(job: Job, to: JobState, held: AbortSignal): Promise<void> {
    const gone = await this.teardown.untilGone(job, held);
    if (held.aborted) return;
    const teardown = gone ? 'done' : 'pending';
    await this.store.transaction((tx) =>
      this.transitions.transition(tx, job, to, {
        ...this.under(job),
        teardown,
        ...(to === 'fail' && { failure: job.failure }),
      }),
    );
  }

  private async move(job: Job, to: JobState): Promise<void> {
    await this.store.transaction((tx) => this.transitions.transition(tx, job, to, this.under(job)));
  }

  /** Does something to a step, and tells the job's followers in the same transaction. */
  private noted<T>(
    job: Job,
    step: Step,
    status: 'started' | 'done' | 'failed',
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    return this.store.transaction(async (tx) => {
      const result = await work(tx);
      const data = { step: step.name, status, attempt: job.attempt };
      await this.events.add(tx, job.id, 'step', data);
      return result;
    });
  }

  private log(tx: Tx, job: Job, step: Step, failure: StepFailure): Promise<void> {
    const text = `${failure.failureClass} ${failure.code}: ${failure.message}`;
    const line = { attempt: job.attempt, step: step.name, level: 'warn', text } as const;
    return this.logs.add(tx, job.id, [line]);
  }

  private under({ leaseToken }: Job): { leaseToken?: string } {
    return leaseToken === null ? {} : { leaseToken };
  }
}
