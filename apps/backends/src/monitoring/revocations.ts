import { Inject, Injectable } from '@nestjs/common';
import { endings } from '../streams/endings.js';
import type { LiveStream } from '../streams/live-stream.js';
import { LiveStreams } from '../streams/live-streams.js';
import { StreamMetrics } from '../streams/metrics.js';
import { RefusedSet } from '../streams/refused-set.js';
import { StreamEnder } from '../streams/stream-ender.js';

/** From a revocation to the cut (`certificates.md` 4.1): refuse from now on, and end what is live. */
@Injectable()
export class Revocations {
  constructor(
    @Inject(RefusedSet) private readonly refused: RefusedSet,
    @Inject(LiveStreams) private readonly live: LiveStreams,
    @Inject(StreamEnder) private readonly ender: StreamEnder,
    @Inject(StreamMetrics) private readonly metrics: StreamMetrics,
  ) {}

  serialRevoked(serial: string, revokedAt: Date): void {
    this.refused.refuseSerial(serial);
    this.cut(this.live.ofSerial(serial), revokedAt);
  }

  issuerRevoked(issuerId: string, revokedAt: Date): void {
    this.refused.refuseIssuer(issuerId);
    this.cut(this.live.ofIssuer(issuerId), revokedAt);
  }

  private cut(streams: readonly LiveStream[], revokedAt: Date): void {
    for (const stream of streams) {
      void this.ender.end(stream, endings.revoked, () =>
        this.metrics.revocationSeconds.observe({}, (Date.now() - revokedAt.getTime()) / 1000),
      );
    }
  }
}
