import { LOGGER, type Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DUTIES, type Duty } from './duty.js';

/** Runs the duties from start to shutdown. A failed run is logged and repeated at its next turn. */
@Injectable()
export class DutyLoops implements OnApplicationBootstrap {
  private readonly loops: Loop[];

  constructor(@Inject(DUTIES) duties: Duty[], @Inject(LOGGER) logger: Logger) {
    this.loops = duties.map(
      (duty) =>
        new Loop({
          name: duty.name,
          intervalMs: duty.intervalMs,
          run: () => duty.run(),
          onError: (error) => logger.warn({ err: error, duty: duty.name }, 'duty failed'),
        }),
    );
  }

  onApplicationBootstrap(): void {
    this.loops.forEach((loop) => loop.start());
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}
