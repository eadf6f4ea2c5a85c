import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import type { Finding } from '../validation/finding.js';
import { Crews } from './crews.js';
import type { PlanInForce } from './plan-in-force.js';
import { Starts } from './starts.js';
import { failureOf } from './step-failure.js';
import { StepWorks } from './step-works.js';
import { Worker } from './worker.js';

/** Milliseconds for stage C in submit (jobs.md 8). */
const limitMs = 60_000;

/** Stage C for local execution (jobs.md 8): agents check their own files, and go on to the run when all is well. */
@Injectable()
export class ContentCheck {
  constructor(
    @Inject(StepWorks) private readonly works: StepWorks,
    @Inject(Crews) private readonly crews: Crews,
    @Inject(Starts) private readonly starts: Starts,
    @Inject(Worker) private readonly worker: Worker,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** The pins are stored before. None: all is well. After 60 s the one finding is `validation_timeout`. */
  async run(job: Job, plan: PlanInForce): Promise<Finding[]> {
    const signal = AbortSignal.timeout(limitMs);
    const until = new Date(this.clock.now().getTime() + job.deadlineSeconds * 1_000);
    const { attempt } = job;
    const context = { job, attempt, plan, until, signal };
    try {
      await this.starts.run(signal, () => this.works.upTo('prepare_inputs', context));
      // Processes of a job that has to wait for its turn are not kept meanwhile.
      if (!this.worker.hasRoom) await this.crews.end({ job, attempt });
      return [];
    } catch (error) {
      await this.crews.end({ job, attempt });
      return this.findingsOf(job, error, signal);
    }
  }

  private findingsOf({ id }: Job, error: unknown, signal: AbortSignal): Finding[] {
    if (signal.aborted)
      return [{ code: 'validation_timeout', message: 'the data was not checked in time' }];
    const { code, message, findings } = failureOf(error);
    if (findings.length > 0) return [...findings];
    if (code === 'internal') this.logger.error({ err: error, job: id }, 'data cannot be checked');
    return [{ code, message }];
  }
}
