import { LOGGER, type Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DUTIES, type Duty } from './duty.js';

/** Runs the duties from start to shutdown. A failed run is repeated at its next turn; the first of a row is logged. */
@Injectable()
export class DutyLoops implements OnApplicationBootstrap {
  private readonly loops: Loop[];

  constructor(@Inject(DUTIES) duties: Duty[], @Inject(LOGGER) logger: Logger) {
    this.loops = duties.map((duty) => loopOf(duty, logger));
  }

  onApplicationBootstrap(): void {
    this.loops.forEach((loop) => loop.start());
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}

function loopOf(duty: Duty, logger: Logger): Loop {
  const { name, intervalMs } = duty;
  let failed = false;
  return new Loop({
    name,
    intervalMs,
    run: async (signal) => {
      await duty.run(signal);
      failed = false;
    },
    onError: (error) => {
      logger[failed ? 'debug' : 'warn']({ err: error, duty: name }, 'duty failed');
      failed = true;
    },
  });
}
