import { LOGGER, type Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Finding } from './finding.js';
import { Submissions } from './submissions.js';

/** Milliseconds between two looks. */
const everyMs = 10_000;

const lost: Finding = {
  code: 'validation_timeout',
  message: 'the service ended while it checked the data; submit again',
};

/** Opens jobs again whose validation was lost with its process: whoever submitted has had no answer. */
@Injectable()
export class LostValidations implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    @Inject(Submissions) private readonly submissions: Submissions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.loop = new Loop({
      name: 'lost validations',
      intervalMs: everyMs,
      run: () => this.run(),
      onError: (err) => this.logger.warn({ err }, 'lost validations stay as they are'),
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async run(): Promise<void> {
    for (const job of await this.submissions.lost()) await this.submissions.giveBack(job, [lost]);
  }
}
