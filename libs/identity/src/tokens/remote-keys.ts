import { problems } from '@glacis/http';
import { systemClock, type Clock } from '@glacis/runtime';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

export interface RemoteKeysOptions {
  /** `iss`, for messages. */
  issuer: string;
  /** Reads the key set (RFC 7517). */
  read: () => Promise<unknown>;
  /** Milliseconds after which the keys are read again, in the background. Default 5 minutes. */
  refreshMs?: number;
  /** Milliseconds for which keys count while the issuer does not answer. Default 1 hour. */
  staleMs?: number;
  clock?: Clock;
  /** Told of each read that failed. */
  onError: (error: unknown) => void;
}

/** Milliseconds from one read to the next at least, whatever key ids callers make up. */
const minIntervalMs = 2_000;

interface Known {
  find: JWTVerifyGetKey;
  readAt: number;
}

/**
 * The keys of an issuer elsewhere. Kept in memory, read again every few minutes and, at most every 2 s, when a token
 * names a key that is not among them, so that a rotation is noticed at once. An issuer that does not answer keeps its
 * keys for a bounded time.
 */
export class RemoteKeys {
  private known: Known | undefined;
  private reading: Promise<void> | undefined;
  private triedAt = Number.NEGATIVE_INFINITY;
  private lastFailed = false;
  private expired = false;
  private changes = 0;
  private readonly clock: Clock;

  constructor(private readonly options: RemoteKeysOptions) {
    this.clock = options.clock ?? systemClock;
  }

  /** For {@link TrustedIssuer.keys}. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const { find } = await this.current();
    try {
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const { find: findAnew } = await this.readNow();
      return findAnew(header, token);
    }
  };

  /** Has the keys read again before they are used next, if the issuer answers. */
  expire(): void {
    this.expired = true;
    this.changes += 1;
    // Neither a read that has begun nor one of a moment ago knows what has changed since.
    this.reading = undefined;
    this.triedAt = Number.NEGATIVE_INFINITY;
  }

  private async current(): Promise<Known> {
    const { refreshMs = 300_000, staleMs = 3_600_000 } = this.options;
    if (this.known === undefined) return this.readNow();
    const age = this.now() - this.known.readAt;
    if (age >= staleMs) this.known = undefined;
    else if (this.expired) await this.attempt();
    else if (age >= refreshMs) void this.attempt();
    return this.known ?? this.readNow();
  }

  /** @throws {Problem} `unavailable` (503) when the issuer does not answer */
  private async readNow(): Promise<Known> {
    await this.attempt();
    if (this.known !== undefined && !this.lastFailed) return this.known;
    throw problems.unavailable(`the keys of the issuer ${this.options.issuer} cannot be read`);
  }

  /** One read, shared by all who wait for it; none when the last one was just now. */
  private attempt(): Promise<void> {
    if (this.reading) return this.reading;
    if (Math.abs(this.now() - this.triedAt) < minIntervalMs) return Promise.resolve();
    this.triedAt = this.now();
    const reading = this.read().finally(() => {
      if (this.reading === reading) this.reading = undefined;
    });
    this.reading = reading;
    return reading;
  }

  private async read(): Promise<void> {
    const { changes } = this;
    try {
      const keySet = (await this.options.read()) as JSONWebKeySet;
      if (changes !== this.changes) return await this.attempt();
      this.known = { find: createLocalJWKSet(keySet), readAt: this.now() };
      this.lastFailed = false;
      this.expired = false;
    } catch (error) {
      this.lastFailed = true;
      this.options.onError(error);
    }
  }

  private now(): number {
    return this.clock.now().getTime();
  }
}
