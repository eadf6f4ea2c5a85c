import { systemClock, type Clock } from './clock.js';

export interface TokenBucketsOptions {
  /** Tokens of a full bucket: the burst. At least 1. */
  capacity: number;
  /** Tokens that come back per second. More than 0. */
  refillPerSecond: number;
  /** Buckets remembered; the least recently used one is forgotten (and so full again). Default 10,000. */
  maxKeys?: number;
}

interface Bucket {
  tokens: number;
  /** Epoch milliseconds at which `tokens` held. */
  at: number;
}

/** A rate limit per key: a full bucket at first, refilled steadily, one token per call of `take`. */
export class TokenBuckets {
  /** From the longest unused to the newest. */
  private readonly buckets = new Map<string, Bucket>();
  private newest: string | undefined;
  private readonly capacity: number;
  private readonly perMs: number;
  private readonly maxKeys: number;

  constructor(
    options: TokenBucketsOptions,
    private readonly clock: Clock = systemClock,
  ) {
    if (!(options.capacity >= 1) || !(options.refillPerSecond > 0)) {
      throw new RangeError('TokenBuckets: capacity must be at least 1, refillPerSecond above 0');
    }
    this.capacity = options.capacity;
    this.perMs = options.refillPerSecond / 1000;
    this.maxKeys = options.maxKeys ?? 10_000;
  }

  /** Takes one token of `key`. 0 when taken, else the whole milliseconds (at least 1) until one is there. */
  take(key: string): number {
    const bucket = this.refilled(key);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return Math.max(1, Math.ceil((1 - bucket.tokens) / this.perMs));
  }

  private refilled(key: string): Bucket {
    const now = this.clock.now().getTime();
    const bucket = this.buckets.get(key);
    if (!bucket) {
      return this.remember(key, { tokens: this.capacity, at: now });
    }
    // A clock that was set back must not take tokens away.
    const elapsed = Math.max(0, now - bucket.at);
    bucket.tokens = Math.min(this.capacity, bucket.tokens + elapsed * this.perMs);
    bucket.at = now;
    if (key === this.newest) return bucket;
    this.buckets.delete(key);
    return this.remember(key, bucket);
  }

  private remember(key: string, bucket: Bucket): Bucket {
    if (this.buckets.size >= this.maxKeys) {
      const oldest = this.buckets.keys().next();
      if (!oldest.done) this.buckets.delete(oldest.value);
    }
    this.buckets.set(key, bucket);
    this.newest = key;
    return bucket;
  }
}
