import { problems } from '@glacis/http';
import { TokenBuckets, type Clock } from '@glacis/runtime';

/** A rate of requests per key. A full bucket holds what comes back in one second, unless a burst is named. */
export class AddressLimit {
  private readonly buckets: TokenBuckets;

  constructor(ratePerSecond: number, clock: Clock, capacity = Math.max(1, ratePerSecond)) {
    this.buckets = new TokenBuckets({ capacity, refillPerSecond: ratePerSecond }, clock);
  }

  /** @returns false when the key is over its rate */
  admits(key: string): boolean {
    return this.buckets.take(key) === 0;
  }

  /** @throws Problem `rate-limited` when the key is over its rate */
  assert(key: string): void {
    const wait = this.buckets.take(key);
    if (wait > 0) throw problems.rateLimited(wait);
  }
}
