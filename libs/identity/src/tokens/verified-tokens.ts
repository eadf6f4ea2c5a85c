import type { Principal } from '@glacis/http';

/** A token whose signature was found good. */
export interface Verified {
  principal: Principal;
  /** Epoch milliseconds from which on the signature is to be checked again. */
  checkAgainAt: number;
}

/** The most recently used verified tokens by the header text that brought them. Past its bound the longest unused one goes. */
export class VerifiedTokens {
  private readonly entries = new Map<string, Verified>();
  private newest: string | undefined;

  /** @param capacity entries at most; one holds the header text, a few hundred bytes */
  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.entries.size;
  }

  get(authorization: string): Verified | undefined {
    const found = this.entries.get(authorization);
    if (found !== undefined && authorization !== this.newest) {
      // A Map keeps the order of insertion, so its first entry is the longest unused one.
      this.entries.delete(authorization);
      this.entries.set(authorization, found);
      this.newest = authorization;
    }
    return found;
  }

  set(authorization: string, verified: Verified): void {
    this.entries.set(authorization, verified);
    this.newest = authorization;
    if (this.entries.size <= this.capacity) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      return;
    }
  }

  delete(authorization: string): void {
    this.entries.delete(authorization);
  }

  clear(): void {
    this.entries.clear();
    this.newest = undefined;
  }
}
