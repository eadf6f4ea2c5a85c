import type { CertificatesRpc } from '@glacis/contracts';
import { RpcDirectory } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import { LiveStreams } from '../streams/live-streams.js';
import type { Duty } from './duty.js';
import { Revocations } from './revocations.js';

/** Asks after the certificate of every live stream. No answer is no reason to cut anybody off. */
@Injectable()
export class LiveRecheck implements Duty {
  readonly name = 'live certificates';
  readonly intervalMs = 60_000;

  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(RpcDirectory) directory: RpcDirectory,
    @Inject(Revocations) private readonly revocations: Revocations,
    @Inject(LiveStreams) private readonly live: LiveStreams,
  ) {
    this.certificates = directory.client('certificates');
  }

  async run(): Promise<void> {
    for (const serial of new Set(this.live.all().map((stream) => stream.facts.serial))) {
      const { status } = await this.certificates.resolve({ serialNumber: serial });
      if (status === 'revoked') this.revocations.serialRevoked(serial, new Date());
    }
  }
}
