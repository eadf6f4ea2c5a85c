import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';

/** A task that the service repeats: its name, how often, and what it does. */
export interface UpkeepTask {
  name: string;
  everyMs: number;
  run: () => Promise<void>;
}

/** The service's own housekeeping, from boot to shutdown. */
export class Upkeep implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly loops: Loop[];

  constructor(tasks: readonly UpkeepTask[], logger: Logger) {
    this.loops = tasks.map(
      ({ name, everyMs, run }) =>
        new Loop({
          name,
          intervalMs: everyMs,
          run,
          onError: (err) => logger.warn({ err, task: name }, 'upkeep of certificates failed'),
        }),
    );
  }

  onApplicationBootstrap(): void {
    for (const loop of this.loops) loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}
