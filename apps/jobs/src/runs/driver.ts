import { setTimeout as sleep } from 'node:timers/promises';
import { LOGGER, type Logger } from '@glacis/observability';
import { backoffMs, CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { JobFeed } from '../jobs/job-feed.js';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { hasEnded, type JobState } from '../state.js';
import type { Lease } from './leases.store.js';
import { failureOf, Interrupted } from './step-failure.js';
import { StepJournal } from './step-journal.js';
import { withinLimits } from './step-limits.js';
import { StepWorks } from './step-works.js';
import { stepOf, teardownStep, type Step } from './steps.js';
import type { JobResult } from './steps.store.js';
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
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(StepJournal) private readonly journal: StepJournal,
    @Inject(JobFeed) private readonly feed: JobFeed,
    @Inject(StepWorks) private readonly works: StepWorks,
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
      else if (step === undefined) return;
      else if (job.state === step.during) await this.enter(job, step, held);
      else await this.journal.moved(job, step.during);
    }
  }

  private async enter(job: Job, step: Step, held: AbortSignal): Promise<void> {
    const tries = await this.journal.started(job, step);
    try {
      await this.journal.done(job, step, await this.work(job, step, held));
    } catch (error) {
      const left = error instanceof Interrupted && error.isOfAnother;
      if (!left && !held.aborted) await this.failed(job, step, { error, tries, held });
    }
  }

  private work(job: Job, step: Step, held: AbortSignal): Promise<JobResult[]> {
    const limits = {
      timeoutMs: step.timeoutMs,
      deadlineMs: (job.deadlineAt?.getTime() ?? Infinity) - this.clock.now().getTime(),
      lease: held,
      holds: async () => {
        const now = await this.jobs.find(job.id);
        return now?.state === job.state && now.leaseToken === job.leaseToken;
      },
      follow: (hear: () => void) => this.feed.follow(job.id, hear),
    };
    return withinLimits(limits, async (signal) => {
      const context = await this.works.context(job, signal);
      if (step.name === 'export') return this.works.export(context);
      await this.works.upTo(step.name, context);
      return [];
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
    if (!failure.retryable || tries >= step.tries) {
      await this.journal.gaveUp(job, step, failure);
      return;
    }
    await this.journal.failed(job, step, failure);
    await this.teardown.run(job);
    await sleep(backoffMs(betweenTries, tries), undefined, { signal: held }).catch(() => null);
  }

  private async end(job: Job, to: JobState, held: AbortSignal): Promise<void> {
    await this.journal.started(job, teardownStep);
    const gone = await this.teardown.untilGone(job, held);
    if (held.aborted) return;
    const { failure } = job;
    const teardown = gone ? 'done' : 'pending';
    await this.journal.ended(job, to, { teardown, ...(to === 'fail' && { failure }) });
  }
}
