import type { Principal } from '@glacis/http';

/** A token whose signature was found good. */
export interface Verified {
  principal: Principal;
  /** Epoch milliseconds from which on the signature is to be checked again. */
  checkAgainAt: number;
}

/** A part of the signature finds the entry; hashing the whole text would cost more than all the rest of a look-up. */
const keyOf = (authorization: string): string => authorization.slice(-43);

/** The most recently used verified tokens by the header text that brought them. Past its bound the longest unused one goes. */
export class VerifiedTokens {
  private readonly entries = new Map<string, Verified & { authorization: string }>();
  private newest: string | undefined;

  /** @param capacity entries at most; one holds the header text, a few hundred bytes */
  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.entries.size;
  }

  get(authorization: string): Verified | undefined {
    const key = keyOf(authorization);
    const found = this.entries.get(key);
    if (found?.authorization !== authorization) return undefined;
    if (key !== this.newest) {
      // A Map keeps the order of insertion, so its first entry is the longest unused one.
      this.entries.delete(key);
      this.entries.set(key, found);
      this.newest = key;
    }
    return found;
  }

  set(authorization: string, verified: Verified): void {
    this.newest = keyOf(authorization);
    this.entries.set(this.newest, { ...verified, authorization });
    if (this.entries.size <= this.capacity) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      return;
    }
  }

  delete(authorization: string): void {
    this.entries.delete(keyOf(authorization));
  }

  clear(): void {
    this.entries.clear();
    this.newest = undefined;
  }
}
