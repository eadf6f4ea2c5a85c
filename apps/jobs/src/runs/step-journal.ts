import { CLOCK, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { JobEvents } from '../jobs/job-events.js';
import { JobLogs } from '../jobs/job-logs.js';
import type { Job } from '../jobs/job.entity.js';
import { ReportsStore } from '../validation/reports.store.js';
import { Transitions, type TransitionMore } from '../jobs/transitions.js';
import type { JobState } from '../state.js';
import { holdsLease } from './leases.store.js';
import { Interrupted, type StepFailure } from './step-failure.js';
import { progressAfter, teardownStep, type Step } from './steps.js';
import {
  beginStep,
  endStep,
  insertResults,
  setProgress,
  type JobResult,
  type StepRef,
} from './steps.store.js';

/** A step, or teardown. */
interface Named {
  name: StepRef['step'];
}

type StepStatus = 'started' | 'done' | 'failed';

/**
 * Writes what becomes of the steps of a job, each with its events in one transaction, under the lease of the job: whoever
 * has lost it is told so by an `Interrupted`, and leaves the job and its agents alone.
 */
@Injectable()
export class StepJournal {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Transitions) private readonly transitions: Transitions,
    @Inject(JobEvents) private readonly events: JobEvents,
    @Inject(JobLogs) private readonly logs: JobLogs,
    @Inject(ReportsStore) private readonly reports: ReportsStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Gives the number of the try, from 1. */
  started(job: Job, step: Named): Promise<number> {
    return this.tell(job, step, 'started', (tx) =>
      beginStep(tx, refOf(job, step), this.clock.now()),
    );
  }

  done(job: Job, step: Step, results: readonly JobResult[]): Promise<void> {
    return this.tell(job, step, 'done', async (tx) => {
      await endStep(tx, refOf(job, step), this.clock.now());
      await setProgress(tx, job.id, progressAfter(step.name));
      await insertResults(tx, refOf(job, step), results);
      await this.transition(tx, job, step.after);
    });
  }

  /** It is tried again. */
  failed(job: Job, step: Step, failure: StepFailure): Promise<void> {
    return this.tell(job, step, 'failed', (tx) => this.log(tx, job, step, failure));
  }

  gaveUp(job: Job, step: Step, cause: StepFailure): Promise<void> {
    const failure = cause.asFailure(step.name);
    return this.tell(job, step, 'failed', async (tx) => {
      await endStep(tx, refOf(job, step), this.clock.now(), failure);
      await this.log(tx, job, step, cause);
      if (cause.findings.length > 0) await this.reports.add(tx, job.id, cause.findings);
      await this.transition(tx, job, 'failing', { failure });
    });
  }

  async moved(job: Job, to: JobState): Promise<void> {
    await this.store.transaction((tx) => this.transition(tx, job, to));
  }

  /** Teardown is over, and the job with it. */
  ended(job: Job, to: JobState, more: TransitionMore): Promise<void> {
    return this.tell(job, teardownStep, 'done', async (tx) => {
      await endStep(tx, refOf(job, teardownStep), this.clock.now());
      await this.transition(tx, job, to, more);
    });
  }

  /** Without effect where somebody else has changed the job. */
  private async transition(
    tx: Tx,
    job: Job,
    to: JobState,
    more: TransitionMore = {},
  ): Promise<void> {
    const leaseToken = job.leaseToken ?? undefined;
    await this.transitions.transition(tx, job, to, { ...more, leaseToken });
  }

  private tell<T>(
    job: Job,
    { name: step }: Named,
    status: StepStatus,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    return this.store.transaction(async (tx) => {
      const lease = { job: job.id, token: job.leaseToken ?? '' };
      if (!(await holdsLease(tx, lease))) throw new Interrupted('lease');
      await this.events.add(tx, job.id, 'step', { step, status, attempt: job.attempt });
      return work(tx);
    });
  }

  private log(tx: Tx, job: Job, step: Step, failure: StepFailure): Promise<void> {
    const text = `${failure.failureClass} ${failure.code}: ${failure.message}`;
    const line = { attempt: job.attempt, step: step.name, level: 'warn', text } as const;
    return this.logs.add(tx, job.id, [line]);
  }
}

const refOf = ({ id, attempt }: Job, { name }: Named): StepRef => ({
  job: id,
  attempt,
  step: name,
});
