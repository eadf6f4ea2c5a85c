import { Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';

/** Ends everything that a job has running (jobs.md 9, step `teardown`). */
@Injectable()
export class Teardown {
  /** True when all of it is confirmed gone; false: the reaper goes on. Harmless to repeat. */
  run(_job: Pick<Job, 'id' | 'tenant'>): Promise<boolean> {
    return Promise.reject(new Error('not there yet'));
  }
}
