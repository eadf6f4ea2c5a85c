import { systemClock, type Clock } from '@glacis/runtime';

export interface RevokedToken {
  /** `jti`. */
  id: string;
  expiresAt: Date;
}

/** Seconds that a verifier may tolerate at most between two clocks; revocations are remembered for as long. */
export const maxLeewaySeconds = 60;

/**
 * The ids of revoked tokens that would otherwise still be good. An entry goes when its token has expired, so the set
 * is bounded by the revocations of one token lifetime.
 */
export class RevokedTokens {
  private readonly until = new Map<string, number>();

  constructor(private readonly clock: Clock = systemClock) {}

  get size(): number {
    return this.until.size;
  }

  add(token: RevokedToken): void {
    const until = token.expiresAt.getTime() + maxLeewaySeconds * 1000;
    if (until > this.clock.now().getTime()) this.until.set(token.id, until);
  }

  has(id: string): boolean {
    return this.until.has(id);
  }

  /** Forgets the tokens that have expired. */
  dropExpired(): void {
    const now = this.clock.now().getTime();
    for (const [id, until] of this.until) {
      if (until <= now) this.until.delete(id);
    }
  }
}
