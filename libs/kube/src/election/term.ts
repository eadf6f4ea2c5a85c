import type { Fence } from '../api/api-server.js';

/** The time for which a leader leads. It ends by itself unless it is extended. */
export class Term implements Fence {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private until = 0;

  /**
   * @param epoch grows with every change of the holder: a fencing token for whoever is asked to act by this leader
   * @param until monotonic milliseconds
   */
  constructor(
    readonly epoch: number,
    until: number,
  ) {
    this.extend(until);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  holds(): boolean {
    // A process that was paused comes here before its timers fire.
    if (performance.now() >= this.until) this.end();
    return !this.signal.aborted;
  }

  extend(until: number): void {
    if (this.signal.aborted) return;
    this.until = until;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), Math.max(0, until - performance.now()));
  }

  end(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }
}
