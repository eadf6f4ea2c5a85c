import { CLOCK, type Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import { Transitions } from '../jobs/transitions.js';
import { reserve } from './leases.store.js';
import { insertSteps } from './steps.store.js';
import { Worker } from './worker.js';

/** Milliseconds that a job waits for the replica that has agents for it. */
const reservedMs = 3_000;

/** What a caller wants to be tried again (jobs.md 3). */
export type RetryFrom = 'failed' | 'start' | 'created';

/** Who asks, for the trail. */
export interface Asking {
  actor: string;
  requestId?: string;
}

/** The runs of submitted jobs: begun and ended here, done by the worker of a replica. */
@Injectable()
export class Runs {
  constructor(
    @Inject(Transitions) private readonly transitions: Transitions,
    @Inject(Worker) private readonly worker: Worker,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Queues the attempt, in the transaction that makes the job `submitted` (state and attempt as they are then). */
  async begin(tx: Tx, { id, attempt }: Pick<Job, 'id' | 'attempt'>): Promise<void> {
    await insertSteps(tx, id, attempt);
    const { hasRoom, replica } = this.worker;
    if (hasRoom) await reserve(tx, { job: id, replica, forMs: reservedMs });
    tx.afterCommit(() => this.worker.wake());
  }

  /** From `submitted` up to `exporting`: the job is `cancelling` then. False: it has changed meanwhile, look again. */
  async cancel(tx: Tx, job: Job, by: Asking & { reason?: string }): Promise<boolean> {
    const { reason: cancelReason, ...asking } = by;
    tx.afterCommit(() => this.worker.wake());
    return this.transitions.transition(tx, job, 'cancelling', { ...asking, cancelReason });
  }

  /**
   * From `fail` and `cancelled`: the next attempt, `submitted` or `created`. False as in {@link Runs.cancel}. Teardown has
   * left no agents, so `failed` leads the same way as `start`: new ones do all that comes before the step that failed.
   */
  async retry(tx: Tx, job: Job, by: Asking & { from: RetryFrom }): Promise<boolean> {
    const { from, ...asking } = by;
    const attempt = job.attempt + 1;
    const more = { ...asking, attempt, failure: null };
    if (from === 'created') return this.transitions.transition(tx, job, 'created', more);
    const deadlineAt = new Date(this.clock.now().getTime() + job.deadlineSeconds * 1_000);
    const moved = await this.transitions.transition(tx, job, 'submitted', { ...more, deadlineAt });
    if (moved) await this.begin(tx, { id: job.id, attempt });
    return moved;
  }
}
