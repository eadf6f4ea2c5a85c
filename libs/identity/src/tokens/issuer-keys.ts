import { setTimeout as sleep } from 'node:timers/promises';
import { problems } from '@glacis/http';
import { coalesce, type Clock } from '@glacis/runtime';
import { errors, type JWTVerifyGetKey } from 'jose';
import { isOver, type KeyRing } from './key-ring.js';

/** Milliseconds from one read to the next at least, whatever key ids callers make up. */
const minIntervalMs = 100;

/**
 * The keys of our issuer as this process knows them. They are kept elsewhere and remembered here: no token has them
 * read, but one that names a key which is not among them, and the first after {@link expire}.
 */
export class IssuerKeys {
  private ring: KeyRing | undefined;
  private expiries = 0;
  private readAt = Number.NEGATIVE_INFINITY;
  private source = (): Promise<KeyRing> => Promise.reject(new Error('nobody keeps them yet'));
  /** Each call is answered by a read that began after it; those who wait share one. */
  private readonly read = coalesce(
    async (calls: undefined[]) => {
      await sleep(Math.max(0, this.readAt + minIntervalMs - performance.now()));
      const ring = await this.readOnce();
      return calls.map(() => ring);
    },
    { maxBatch: Number.POSITIVE_INFINITY },
  );

  constructor(private readonly clock: Clock) {}

  /**
   * Where they are kept, which is read at once. Until this is told nothing is signed, and tokens are answered 503.
   * @throws what `source` throws
   */
  async keptBy(source: () => Promise<KeyRing>): Promise<void> {
    this.source = source;
    this.expire();
    await this.readOnce();
  }

  /** They may have changed: they are read before they are used next. */
  expire(): void {
    this.ring = undefined;
    this.expiries += 1;
  }

  /** @throws {Problem} `unavailable` (503) when they cannot be read */
  async current(): Promise<KeyRing> {
    return this.ring ?? this.readAnew();
  }

  /** For {@link TrustedIssuer.keys}. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const find = (ring: KeyRing): ReturnType<JWTVerifyGetKey> => {
      if (isOver(ring, header.kid, this.clock.now())) throw new errors.JWKSNoMatchingKey();
      return ring.find(header, token);
    };
    const known = await this.current();
    try {
      return await find(known);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      return find(await this.readAnew());
    }
  };

  private readAnew(): Promise<KeyRing> {
    return this.read(undefined).catch((cause: unknown) => {
      throw problems.unavailable('the keys of tokens cannot be read', { cause });
    });
  }

  private async readOnce(): Promise<KeyRing> {
    const { expiries } = this;
    this.readAt = performance.now();
    const ring = await this.source();
    // Else it may be older than what has made it expire.
    if (expiries === this.expiries) this.ring = ring;
    return ring;
  }
}
