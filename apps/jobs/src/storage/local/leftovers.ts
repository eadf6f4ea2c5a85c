import { LOGGER, type Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LocalBuckets } from './local-buckets.js';

const hourMs = 3_600_000;

/** Clears away what killed processes left of uploads, once no link of theirs holds any more. */
@Injectable()
export class Leftovers implements OnModuleInit, OnModuleDestroy {
  private readonly loop: Loop;

  constructor(@Inject(LocalBuckets) buckets: LocalBuckets, @Inject(LOGGER) logger: Logger) {
    this.loop = new Loop({
      name: 'leftovers of uploads',
      intervalMs: hourMs,
      run: () => buckets.removeLeftovers(2 * hourMs),
      onError: (err) => logger.error({ err }, 'leftovers of uploads stay'),
    });
  }

  onModuleInit(): void {
    this.loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.loop.stop();
  }
}
