import type { Tx } from '@glacis/store';
import { Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';

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
  /** Queues the attempt, in the transaction that makes the job `submitted` (state and attempt as they are then). */
  begin(_tx: Tx, _job: Job): Promise<void> {
    return Promise.reject(new Error('not there yet'));
  }

  /** From `submitted` up to `exporting`: the job is `cancelling` then. False: it has changed meanwhile, look again. */
  cancel(_tx: Tx, _job: Job, _by: Asking & { reason?: string }): Promise<boolean> {
    return Promise.reject(new Error('not there yet'));
  }

  /** From `fail` and `cancelled`: the next attempt, `submitted` or `created`. False as in {@link Runs.cancel}. */
  retry(_tx: Tx, _job: Job, _by: Asking & { from: RetryFrom }): Promise<boolean> {
    return Promise.reject(new Error('not there yet'));
  }
}
