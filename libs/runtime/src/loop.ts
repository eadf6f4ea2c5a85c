export interface LoopOptions {
  /** What it does, for whoever looks at a hanging shutdown. */
  name: string;
  /** Milliseconds from the end of a run to the next one when nobody wakes it. */
  intervalMs: number;
  /** @param signal aborted by `stop`, for a run that would not end by itself */
  run: (signal: AbortSignal) => Promise<void>;
  /** Told of every failed run; the loop goes on with its next turn. */
  onError: (error: unknown) => void;
}

/**
 * Background work that repeats: runs on start, then each interval or when woken, never twice at once. A wake during a
 * run causes one more run right after it, so a change seen too late by the run under way is not missed.
 */
export class Loop {
  private timer: NodeJS.Timeout | undefined;
  private underWay: Promise<void> | undefined;
  private again = false;
  private active = false;
  private stopping = new AbortController();

  constructor(private readonly options: LoopOptions) {}

  get name(): string {
    return this.options.name;
  }

  /** Starts with a run at once. Without effect when it is already going. */
  start(): void {
    if (this.active) return;
    this.active = true;
    this.stopping = new AbortController();
    this.wake();
  }

  /** Asks for a run now, or for one more after the run under way. Without effect before start and after stop. */
  wake(): void {
    if (!this.active) return;
    this.again = true;
    this.underWay ??= this.drain();
  }

  /** No further run; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.active = false;
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.underWay;
  }

  private async drain(): Promise<void> {
    clearTimeout(this.timer);
    while (this.active && this.again) {
      this.again = false;
      await this.runOnce();
    }
    this.underWay = undefined;
    if (!this.active) return;
    this.timer = setTimeout(() => this.wake(), this.options.intervalMs);
    this.timer.unref();
  }

  private async runOnce(): Promise<void> {
    try {
      await this.options.run(this.stopping.signal);
    } catch (error) {
      this.options.onError(error);
    }
  }
}
