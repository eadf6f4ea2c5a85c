import { Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import type { Finding } from '../validation/finding.js';
import type { PlanInForce } from './plan-in-force.js';

/** Stage C for local execution (jobs.md 8): agents check their own files, and go on to the run when all is well. */
@Injectable()
export class ContentCheck {
  /** The pins are stored before. None: all is well. After 60 s the one finding is `validation_timeout`. */
  run(_job: Job, _plan: PlanInForce): Promise<Finding[]> {
    return Promise.reject(new Error('not there yet'));
  }
}
