import type { CertificatesRpc, Revocation } from '@glacis/contracts';
import { RpcDirectory } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import type { Duty } from './duty.js';
import { Revocations } from './revocations.js';

/** Milliseconds of silence after which a watch counts as broken: `certificates` shows a sign of life every 3 s. */
const SILENCE_MS = 8_000;

/**
 * Hears of revocations from `certificates` itself, in their order, whatever becomes of events. A watch that breaks is
 * opened again from where it stood; at the first time all revocations come, so that a restart forgets none.
 */
@Injectable()
export class RevocationWatch implements Duty {
  readonly name = 'revocations';
  readonly intervalMs = 500;
  private seen = 0;

  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(RpcDirectory) directory: RpcDirectory,
    @Inject(Revocations) private readonly revocations: Revocations,
  ) {
    this.certificates = directory.client('certificates');
  }

  async run(signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_MS).unref();
    const either = AbortSignal.any([signal, silence.signal]);
    try {
      for await (const news of this.certificates.watchRevocations({ after: this.seen }, either)) {
        timer.refresh();
        if (news.revocation) this.apply(news.revocation);
        this.seen = news.sequence;
      }
    } finally {
      clearTimeout(timer);
    }
    if (silence.signal.aborted) throw new Error('no sign of life of the certificate service');
  }

  private apply({ serialNumber, issuerId, revokedAt }: Revocation): void {
    if (serialNumber === undefined) this.revocations.issuerRevoked(issuerId, revokedAt);
    else this.revocations.serialRevoked(serialNumber, revokedAt);
  }
}
