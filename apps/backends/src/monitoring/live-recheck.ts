import { Inject, Injectable } from '@nestjs/common';
import { CertificateCache } from '../streams/certificate-cache.js';
import { LiveStreams } from '../streams/live-streams.js';
import type { Duty } from './duty.js';
import { Revocations } from './revocations.js';

/** Asks after the certificate of every live stream. No answer is no reason to cut anybody off. */
@Injectable()
export class LiveRecheck implements Duty {
  readonly name = 'live certificates';
  readonly intervalMs = 60_000;

  constructor(
    @Inject(CertificateCache) private readonly certificates: CertificateCache,
    @Inject(Revocations) private readonly revocations: Revocations,
    @Inject(LiveStreams) private readonly live: LiveStreams,
  ) {}

  async run(): Promise<void> {
    for (const serial of new Set(this.live.all().map((stream) => stream.facts.serial))) {
      this.certificates.drop(serial);
      const resolved = await this.certificates.resolve(serial);
      if (resolved === 'unavailable') return;
      if (resolved === 'unknown' || resolved.status === 'revoked') {
        this.revocations.serialRevoked(serial, new Date());
      }
    }
  }
}
