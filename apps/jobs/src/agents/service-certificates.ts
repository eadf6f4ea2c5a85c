import type { CertificatesRpc } from '@glacis/contracts';
import { RpcDirectory } from '@glacis/grpc';
import { CsrError, fromPem, readCsr, toPem } from '@glacis/pki';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Inject, Injectable } from '@nestjs/common';
import {
  PartyCertificates,
  type PartyCertificate,
  type PartyCertificateOrder,
  type PartyEntity,
} from './party-certificates.js';

/** cessationOfOperation (RFC 5280 5.3.1). */
const ceased = 5;

/** Certificates of entity type `party` by the service `certificates` (jobs.md 11.10). */
@Injectable()
export class ServiceCertificates extends PartyCertificates {
  readonly localOnly = false;
  private readonly rpc: CertificatesRpc;

  constructor(
    @Inject(RpcDirectory) directory: RpcDirectory,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    super();
    this.rpc = directory.client('certificates');
  }

  async issue({
    csr,
    tenant,
    entityId,
    notAfter,
  }: PartyCertificateOrder): Promise<PartyCertificate> {
    readCsr(csr);
    const [request] = fromPem(csr);
    if (request === undefined) throw new CsrError('malformed', 'no PEM');
    const ttlMs = notAfter.getTime() - this.clock.now().getTime();
    const issued = await this.rpc.issueParty({
      csr: request.der,
      tenant,
      partyId: entityId,
      ttlSeconds: Math.floor(ttlMs / 1_000),
      requestedBy: 'service:jobs',
    });
    const chain = fromPem(issued.chainPem).map(({ der }) => toPem('CERTIFICATE', der));
    return { chain, ca: issued.caPem };
  }

  async revoke({ tenant, entityId }: PartyEntity): Promise<void> {
    await this.rpc.revokeEntity({ tenant, entityType: 'party', entityId, reason: ceased });
  }
}
