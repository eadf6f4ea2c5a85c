import { generateKeys, readCsr, spiffeUri, toPem } from '@glacis/pki';
import { Injectable } from '@nestjs/common';
import { CertificateAuthority } from './certificate-authority.js';
import {
  PartyCertificates,
  type PartyCertificate,
  type PartyCertificateOrder,
  type PartyEntity,
} from './party-certificates.js';

const trustDomain = 'glacis.local';
/** Milliseconds that a CA lives beside its job; its leaves end before. */
const caLifeMs = 3 * 86_400_000;

/** A CA for each job, in memory: for local execution, whose agents end with this process anyway. */
@Injectable()
export class EphemeralCertificates extends PartyCertificates {
  readonly localOnly = true;
  private readonly cas = new Map<string, Promise<CertificateAuthority>>();

  async issue(order: PartyCertificateOrder): Promise<PartyCertificate> {
    const { tenant, entityId, notAfter } = order;
    const { spki } = readCsr(order.csr);
    const ca = await this.caOf(order.jobId);
    const uri = spiffeUri({ trustDomain, tenant, entityType: 'party', entityId });
    const names = { uris: [uri] };
    const leaf = ca.sign({ commonName: entityId, publicKey: spki, names, notAfter });
    return { chain: [toPem('CERTIFICATE', leaf)], ca: ca.pem };
  }

  /** The CA goes with the job's parties: nobody takes what it has signed once they are ended. */
  async revoke({ jobId }: PartyEntity): Promise<void> {
    this.cas.delete(jobId);
  }

  private caOf(jobId: string): Promise<CertificateAuthority> {
    const known = this.cas.get(jobId);
    if (known !== undefined) return known;
    const made = newCa(jobId);
    this.cas.set(jobId, made);
    return made;
  }
}

async function newCa(jobId: string): Promise<CertificateAuthority> {
  return new CertificateAuthority({
    commonName: `Parties of ${jobId}`,
    uri: `spiffe://${trustDomain}`,
    keys: await generateKeys('ECDSA-P256'),
    notAfter: new Date(Date.now() + caLifeMs),
  });
}
