import type { CertificatesRpc } from '@glacis/contracts';
import { RpcDirectory } from '@glacis/grpc';
import { Inject, Injectable } from '@nestjs/common';
import { Credentials } from './credentials.js';
import type { Duty } from './duty.js';

/** Hears of changes of the CAs from `certificates`, so that our certificate and what we trust follow at once. */
@Injectable()
export class TrustWatch implements Duty {
  readonly name = 'trust';
  readonly intervalMs = 1_000;

  private readonly certificates: CertificatesRpc;

  constructor(
    @Inject(RpcDirectory) directory: RpcDirectory,
    @Inject(Credentials) private readonly credentials: Credentials,
  ) {
    this.certificates = directory.client('certificates');
  }

  async run(signal: AbortSignal): Promise<void> {
    for await (const _ of this.certificates.trustBundle({}, signal)) this.credentials.checkSoon();
  }
}
