import { LOGGER, type Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { AbandonedJobs } from '../jobs/abandoned.js';
import { BucketReaper } from './bucket-reaper.js';
import { InstanceReaper } from './instance-reaper.js';

const everyMs = 60_000;

/** `run` never fails. */
const onError = (): void => undefined;

/** Takes away what a kill, or a call that succeeded after its time-out, has left (jobs.md 9). */
@Injectable()
export class Reaper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    @Inject(InstanceReaper) private readonly instances: InstanceReaper,
    @Inject(BucketReaper) private readonly buckets: BucketReaper,
    @Inject(AbandonedJobs) private readonly abandoned: AbandonedJobs,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const run = (): Promise<void> => this.run();
    this.loop = new Loop({ name: 'reaper of jobs', intervalMs: everyMs, run, onError });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Each part by itself: a provider that does not answer holds up its own only. */
  async run(): Promise<void> {
    const parts = [this.abandoned.run(), this.instances.run(), this.buckets.run()];
    for (const part of await Promise.allSettled(parts))
      if (part.status === 'rejected')
        this.logger.warn({ err: part.reason as Error }, 'what jobs have left stays for now');
  }
}
