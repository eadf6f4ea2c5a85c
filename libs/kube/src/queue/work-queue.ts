import { backoffMs, type BackoffOptions } from '@glacis/runtime';

export interface WorkQueueOptions {
  /** How many keys are worked on at once. */
  workers: number;
  /** Gives the milliseconds after which the key comes again; undefined: not by itself. A throw has it come after the back-off. */
  work: (key: string) => Promise<number | undefined>;
  /** Delays after failures in a row, per key. Default 200 ms, doubling up to 5 minutes, a fifth of it by chance. */
  backoff?: BackoffOptions;
  /** Told of each key when its work begins, with the milliseconds for which it could have begun. */
  onBegin?: (key: string, waitedMs: number) => void;
  /** Told of each failure, and of the milliseconds until the next try. */
  onFailure?: (key: string, error: unknown, failures: number, delayMs: number) => void;
  random?: () => number;
}

const defaultBackoff: BackoffOptions = { initialMs: 200, factor: 2, maxMs: 300_000, jitter: 0.2 };
/** More milliseconds than these a timer cannot wait. Who comes earlier looks again, and nothing is lost. */
const maxDelayMs = 2 ** 31 - 1;

/**
 * Keys that wait to be worked on. A key waits once however often it is added, is never worked on twice at a time, and
 * comes again when it is added while it is worked on. First come, first served. It is bounded by the number of keys.
 */
export class WorkQueue {
  /** Since when. */
  private readonly ready = new Map<string, number>();
  private readonly busy = new Map<string, Promise<void>>();
  private readonly again = new Set<string>();
  private readonly delayed = new Map<string, { due: number; timer: NodeJS.Timeout }>();
  private readonly failures = new Map<string, number>();
  private stopped = false;

  constructor(private readonly options: WorkQueueOptions) {}

  /** Keys that could be worked on now, without those that are. */
  get depth(): number {
    return this.ready.size + this.again.size;
  }

  /** @param delayMs of several delays the shortest counts; none overtakes what waits already */
  add(key: string, delayMs = 0): void {
    if (this.stopped || this.ready.has(key) || this.again.has(key)) return;
    if (delayMs > 0) return this.delay(key, Math.min(delayMs, maxDelayMs));
    this.clearDelay(key);
    if (this.busy.has(key)) {
      this.again.add(key);
      return;
    }
    this.ready.set(key, performance.now());
    this.pump();
  }

  /** Nothing begins any more; resolves when the work under way has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.ready.clear();
    this.again.clear();
    for (const key of this.delayed.keys()) this.clearDelay(key);
    await Promise.all(this.busy.values());
  }

  private pump(): void {
    for (const [key, since] of this.ready) {
      if (this.busy.size >= this.options.workers) return;
      this.ready.delete(key);
      this.options.onBegin?.(key, performance.now() - since);
      this.busy.set(key, this.workOn(key));
    }
  }

  private async workOn(key: string): Promise<void> {
    // The work begins when whoever added the key is done.
    await Promise.resolve();
    const delayMs = await this.options.work(key).then(
      (after) => {
        this.failures.delete(key);
        return after;
      },
      (error: unknown) => this.failed(key, error),
    );
    this.busy.delete(key);
    if (this.again.delete(key)) this.add(key);
    else if (delayMs !== undefined) this.add(key, delayMs);
    this.pump();
  }

  private failed(key: string, error: unknown): number {
    const failures = (this.failures.get(key) ?? 0) + 1;
    this.failures.set(key, failures);
    const { backoff = defaultBackoff, random, onFailure } = this.options;
    const delayMs = Math.max(backoffMs(backoff, failures, random), askedDelay(error));
    onFailure?.(key, error, failures, delayMs);
    return delayMs;
  }

  private delay(key: string, ms: number): void {
    const due = performance.now() + ms;
    if ((this.delayed.get(key)?.due ?? Infinity) <= due) return;
    this.clearDelay(key);
    const timer = setTimeout(() => this.add(key), ms);
    this.delayed.set(key, { due, timer: timer.unref() });
  }

  private clearDelay(key: string): void {
    clearTimeout(this.delayed.get(key)?.timer);
    this.delayed.delete(key);
  }
}

/** A server that is overloaded says for how long it wants to be left alone. */
function askedDelay(error: unknown): number {
  const { retryAfterMs } = (error ?? {}) as { retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' ? retryAfterMs : 0;
}
