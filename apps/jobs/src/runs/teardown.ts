import { setTimeout as sleep } from 'node:timers/promises';
import { LOGGER, type Logger } from '@glacis/observability';
import { backoffMs } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import { Crews } from './crews.js';
import { teardownStep } from './steps.js';

const betweenTries = { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 1 };

/** Ends everything that a job has running (jobs.md 9, step `teardown`). */
@Injectable()
export class Teardown {
  constructor(
    @Inject(Crews) private readonly crews: Crews,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** True when all of it is confirmed gone; false: the reaper goes on. Harmless to repeat. */
  async run(job: Pick<Job, 'id'>): Promise<boolean> {
    try {
      await this.crews.end({ job });
      return true;
    } catch (err) {
      this.logger.warn({ err, job: job.id }, 'what a job has running is not ended yet');
      return false;
    }
  }

  /** Tries again until all is gone, the step gives up or the signal fires. */
  async untilGone(job: Pick<Job, 'id'>, signal: AbortSignal): Promise<boolean> {
    const end = performance.now() + teardownStep.timeoutMs;
    for (let tries = 1; !signal.aborted; tries++) {
      if (await this.run(job)) return true;
      if (tries >= teardownStep.tries || performance.now() >= end) return false;
      await sleep(backoffMs(betweenTries, tries), undefined, { signal }).catch(() => undefined);
    }
    return false;
  }
}
