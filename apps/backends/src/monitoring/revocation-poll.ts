import type { CertificatesRpc, Revocation } from '@glacis/contracts';
import { RpcDirectory } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import type { Duty } from './duty.js';
import { Revocations } from './revocations.js';

/** Sequences read again, as a transaction with a lower number may have committed later. */
const OVERLAP = 100;

/** Makes up for events that were lost: reads the revocations since the last look. */
@Injectable()
export class RevocationPoll implements Duty {
  readonly name = 'revocations';
  readonly intervalMs = 10_000;
  private seen = 0;

  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(RpcDirectory) directory: RpcDirectory,
    @Inject(Revocations) private readonly revocations: Revocations,
  ) {
    this.certificates = directory.client('certificates');
  }

  /** All revocations since the watermark; at the first time all there are, so that a restart forgets none. */
  async run(): Promise<void> {
    let after = Math.max(0, this.seen - OVERLAP);
    for (;;) {
      const { revocations } = await this.certificates.revocationsSince({ after });
      const last = revocations.at(-1);
      if (last === undefined) return;
      revocations.forEach((one) => this.apply(one));
      after = last.sequence;
      this.seen = Math.max(this.seen, after);
    }
  }

  private apply({ serialNumber, issuerId, revokedAt }: Revocation): void {
    if (serialNumber === undefined) this.revocations.issuerRevoked(issuerId, revokedAt);
    else this.revocations.serialRevoked(serialNumber, revokedAt);
  }
}
