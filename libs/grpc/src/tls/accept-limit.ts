/** At most `count` in any `windowMs`, for each key. */
export interface AcceptLimitOptions {
  /** 1 to 10,000. */
  count: number;
  windowMs: number;
  /** Keys remembered; the one unused for longest is forgotten first. Default 10,000. */
  maxKeys?: number;
}

interface Window {
  /** The times of the last `count` accepted, as a ring. */
  times: number[];
  next: number;
}

/** An exact sliding window: unlike a token bucket it never lets `count + 1` through within one window. */
export class AcceptLimit {
  private readonly windows = new Map<string, Window>();
  private readonly maxKeys: number;

  constructor(
    private readonly options: AcceptLimitOptions,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.maxKeys = options.maxKeys ?? 10_000;
  }

  /** True when the key may pass now; a refusal does not count. */
  accept(key: string): boolean {
    const window = this.touch(key);
    const now = this.now();
    const oldest = window.times[window.next];
    if (oldest !== undefined && now - oldest < this.options.windowMs) return false;
    window.times[window.next] = now;
    window.next = (window.next + 1) % this.options.count;
    return true;
  }

  private touch(key: string): Window {
    const known = this.windows.get(key) ?? { times: [], next: 0 };
    this.windows.delete(key);
    this.windows.set(key, known);
    if (this.windows.size > this.maxKeys) {
      const oldest = this.windows.keys().next();
      if (!oldest.done) this.windows.delete(oldest.value);
    }
    return known;
  }
}
