import { Loop, systemClock, type Clock } from '@glacis/runtime';
import type { RevokedToken, RevokedTokens } from './revoked-tokens.js';

export interface RevocationPage {
  revoked: RevokedToken[];
  /** For the next question. */
  watermark: string;
  /** True when the record holds more than fitted into the answer. */
  more: boolean;
}

/** Where revocations are recorded. */
export interface RevocationSource {
  /**
   * Revocations of tokens not yet expired, recorded since the watermark of an earlier answer (null: all of them).
   * A revocation may come twice, but none may be passed over, also when its transaction commits late.
   */
  revokedSince(watermark: string | null): Promise<RevocationPage>;
}

export interface RevocationFeedOptions {
  source: RevocationSource;
  revoked: RevokedTokens;
  /** Milliseconds between two reads: how late a revocation is known when its broadcast was lost. Default 500. */
  intervalMs?: number;
  clock?: Clock;
  /** Told of the first failure of a row. */
  onError: (error: unknown) => void;
}

/** Keeps the set of revoked tokens complete by reading the record again; broadcasts only make it faster. */
export class RevocationFeed {
  private watermark: string | null = null;
  private readAt: number | undefined;
  private reading: Promise<void> | undefined;
  private failing = false;
  private readonly clock: Clock;
  private readonly loop: Loop;

  constructor(private readonly options: RevocationFeedOptions) {
    this.clock = options.clock ?? systemClock;
    this.loop = new Loop({
      name: 'token revocations',
      intervalMs: options.intervalMs ?? 500,
      run: async () => {
        await this.read();
        this.failing = false;
      },
      onError: (error) => {
        if (!this.failing) options.onError(error);
        this.failing = true;
      },
    });
  }

  /** Reads at once and then again and again. */
  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /**
   * Resolves when the set was complete at most `maxAgeMs` ago, so that no token revoked before then is let in; reads
   * first when it was not, and fails when that read fails.
   */
  async complete(maxAgeMs: number): Promise<void> {
    const age = this.clock.now().getTime() - (this.readAt ?? Number.NEGATIVE_INFINITY);
    if (age > maxAgeMs) await this.read();
  }

  /** One reading at a time, shared by all who ask. */
  read(): Promise<void> {
    this.reading ??= this.readAll().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async readAll(): Promise<void> {
    let more = true;
    while (more) more = await this.readPage();
    this.readAt = this.clock.now().getTime();
    this.options.revoked.dropExpired();
  }

  private async readPage(): Promise<boolean> {
    const { revoked, watermark, more } = await this.options.source.revokedSince(this.watermark);
    for (const token of revoked) this.options.revoked.add(token);
    this.watermark = watermark;
    return more;
  }
}
