import { toPem } from '@glacis/pki';
import type { Authority } from '../authority/authority.js';
import type { CertificateRow } from './certificate.entity.js';

/** The PEM files of issued certificates. */
export class CertificateFiles {
  constructor(private readonly authority: Authority) {}

  /** `cert.pem`: the leaf, then its chain as it was at issue, so that every download gives the same bytes. */
  certPem(row: Pick<CertificateRow, 'der' | 'chain_ids'>): string {
    const chain = row.chain_ids.map((id) => this.authority.cas.byId(id)?.pem ?? '');
    return toPem('CERTIFICATE', row.der) + chain.join('');
  }

  rootsPem(): string {
    return this.authority.cas.rootsPem();
  }

  /** `ca.pem`: what a client trusts now. */
  caPem(): string {
    return this.authority.cas.caPem();
  }
}
