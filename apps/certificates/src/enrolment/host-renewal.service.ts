import { Problem, problems, type Visitor } from '@glacis/http';
import type { Store } from '@glacis/store';
import type { CertificateRow } from '../certificates/certificate.entity.js';
import { findCertificate } from '../certificates/certificates.store.js';
import type { CsrReader } from '../issuing/csr-reader.js';
import { wantedByCsr } from '../issuing/csr-request.js';
import type { SignedLeaf } from '../issuing/leaf-signer.js';
import type { Renewal } from '../issuing/renewal.service.js';
import { platformTenant } from '../issuing/service-issuing.service.js';
import { certificateExpired } from '../problems.js';
import type { AddressLimit } from '../status/address-limit.js';
import { hostCaller } from './host-caller.js';
import type { PresentedCertificate } from './presented-certificate.js';

export interface HostRenewalParts {
  store: Store;
  csrs: CsrReader;
  renewal: Renewal;
  attempts: AddressLimit;
}

export interface HostRenewalRequest {
  visitor: Visitor;
  /** Of the path, where it names one. */
  tenant: string | undefined;
  presented: PresentedCertificate | undefined;
  /** PKCS#10, as `wantedByCsr` reads it. */
  csr: string;
}

/** A host renews the certificate that it presents, with the same key or a new one (`certificates.md` 3.3). */
export class HostRenewal {
  constructor(private readonly parts: HostRenewalParts) {}

  /**
   * @throws Problem `unauthenticated`, `certificate-expired`, `forbidden` for a revoked certificate, `subject-mismatch`,
   *   `csr-rejected`, or of the name rules
   */
  async renew(request: HostRenewalRequest): Promise<SignedLeaf> {
    const { store, csrs, renewal, attempts } = this.parts;
    const old = await this.holder(request);
    // Not the allowance of enrolment, which whoever names the backend can use up.
    attempts.assert(`holder ${old.tenant_id} ${old.entity_id}`);
    const wanted = await wantedByCsr(csrs, request.csr);
    if ('rejection' in wanted) throw wanted.rejection;
    const caller = hostCaller(request.visitor, {
      tenant: old.tenant_id,
      entityType: old.entity_type,
      entityId: old.entity_id,
      until: old.not_after,
    });
    const wish = { ttlMs: undefined, revokeOld: false };
    const asked = { serial: old.serial, wish, csr: wanted.csr };
    const approved = await renewal.approve(caller, asked).catch(revoked);
    return store.transaction((tx) => renewal.renew(tx, caller, approved)).catch(revoked);
  }

  /** The certificate that the host presents, as we issued it. Whoever shows none of ours is counted by address. */
  private async holder(request: HostRenewalRequest): Promise<CertificateRow> {
    const { presented, tenant, visitor } = request;
    const row = presented && (await this.issued(presented));
    if (row && belongsTo(row, tenant)) return row;
    this.parts.attempts.assert(`address ${visitor.address}`);
    throw problems.unauthenticated('no client certificate of this tenant', {
      headers: { 'www-authenticate': 'Basic realm="enrolment"' },
    });
  }

  private async issued(presented: PresentedCertificate): Promise<CertificateRow | undefined> {
    const row = await findCertificate(this.parts.store, presented.serial);
    if (!row?.fingerprint_sha256.equals(presented.fingerprintSha256)) return undefined;
    // A refusal needs no chain: whether or not the client sends that of a revoked issuer, it is told the same.
    if (row.status === 'revoked') return row;
    if (presented.chain === 'expired') throw certificateExpired();
    return presented.chain === 'good' ? row : undefined;
  }
}

/** Our own services get theirs another way. */
function belongsTo(row: CertificateRow, tenant: string | undefined): boolean {
  return row.tenant_id !== platformTenant && (tenant === undefined || row.tenant_id === tenant);
}

/** To its holder a revoked certificate is no conflict: it may not come back. */
function revoked(error: unknown): never {
  const isRevoked = error instanceof Problem && error.slug === 'certificate-revoked';
  throw isRevoked ? problems.forbidden('the certificate is revoked', { cause: error }) : error;
}
