import { Loop } from '@glacis/runtime';
import type { RevokedToken, RevokedTokens } from './revoked-tokens.js';

/** Where revocations are recorded. */
export interface RevocationSource {
  /**
   * Revocations of tokens not yet expired, recorded since the watermark of an earlier answer (null: all of them).
   * A revocation may come twice, but none may be passed over, also when its transaction commits late.
   */
  revokedSince(watermark: string | null): Promise<{ revoked: RevokedToken[]; watermark: string }>;
}

export interface RevocationFeedOptions {
  source: RevocationSource;
  revoked: RevokedTokens;
  /** Milliseconds between two reads: how late a revocation is known when its broadcast was lost. Default 5,000. */
  intervalMs?: number;
  onError: (error: unknown) => void;
}

/** Keeps the set of revoked tokens complete by reading the record again; broadcasts only make it faster. */
export class RevocationFeed {
  private watermark: string | null = null;
  private readonly loop: Loop;

  constructor(private readonly options: RevocationFeedOptions) {
    this.loop = new Loop({
      name: 'token revocations',
      intervalMs: options.intervalMs ?? 5_000,
      run: () => this.read(),
      onError: options.onError,
    });
  }

  /** Resolves after the first read, so that no revoked token is let in after it. Fails when that read fails. */
  async start(): Promise<void> {
    await this.read();
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  async read(): Promise<void> {
    const { revoked, watermark } = await this.options.source.revokedSince(this.watermark);
    for (const token of revoked) this.options.revoked.add(token);
    this.watermark = watermark;
    this.options.revoked.dropExpired();
  }
}
