import type { Principal } from '@glacis/http';

/** The most recently used verified tokens by the header text that brought them. Past its bound the longest unused one goes. */
export class VerifiedTokens {
  private readonly entries = new Map<string, Principal>();
  private newest: string | undefined;

  /** @param capacity entries at most; one holds the header text, a few hundred bytes */
  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.entries.size;
  }

  get(authorization: string): Principal | undefined {
    const found = this.entries.get(authorization);
    if (found !== undefined && authorization !== this.newest) {
      // A Map keeps the order of insertion, so its first entry is the longest unused one.
      this.entries.delete(authorization);
      this.entries.set(authorization, found);
      this.newest = authorization;
    }
    return found;
  }

  set(authorization: string, principal: Principal): void {
    this.entries.set(authorization, principal);
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
}
