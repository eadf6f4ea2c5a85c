import { createHash } from 'node:crypto';
import { readCertificate, toPem, type CertificateInfo, type Issuer } from '@glacis/pki';

export type IssuerKind = 'root' | 'intermediate';

/** A row of `issuers`. */
export interface IssuerRow {
  id: string;
  kind: IssuerKind;
  cert: Buffer;
  key_id: string;
  state: 'current' | 'retired';
  row_version: number;
  not_after: Date;
  created_at: Date;
}

/** A CA of ours, with its key. */
export interface SigningCa {
  id: string;
  kind: IssuerKind;
  der: Buffer;
  pem: string;
  info: CertificateInfo;
  createdAt: Date;
  /** What certificates and CRLs are signed with. */
  issuer: Issuer;
}

/** Issuer id: the first 32 hex digits of the SHA-256 of the certificate. */
export function issuerIdOf(der: Buffer): string {
  return createHash('sha256').update(der).digest('hex').slice(0, 32);
}

export function signingCa(row: IssuerRow, privateKey: Issuer['privateKey']): SigningCa {
  const info = readCertificate(row.cert);
  return {
    id: row.id,
    kind: row.kind,
    der: row.cert,
    pem: toPem('CERTIFICATE', row.cert),
    info,
    createdAt: row.created_at,
    issuer: { subjectDer: info.subjectDer, keyId: info.keyId, privateKey },
  };
}
