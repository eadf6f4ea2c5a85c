import { createHash } from 'node:crypto';
import { readCertificate, toPem, type CertificateInfo, type Issuer } from '@glacis/pki';

/** A `cross` certificate carries name and key of a root, signed by another root (`certificates.md` 5). */
export type IssuerKind = 'root' | 'intermediate' | 'cross';

/**
 * `pending`: published, signs nothing yet; `current`: signs; `retired`: has signed, its leaves live on; `ended`: its
 * last leaf has ended; `revoked`: its key is stolen.
 */
export type IssuerState = 'pending' | 'current' | 'retired' | 'ended' | 'revoked';

/** A row of `issuers`. */
export interface IssuerRow {
  id: string;
  kind: IssuerKind;
  cert: Buffer;
  key_id: string | null;
  state: IssuerState;
  signs_from: Date;
  revoked_at: Date | null;
  row_version: number;
  not_after: Date;
  created_at: Date;
}

/** A CA certificate of ours. */
export interface Ca {
  id: string;
  kind: IssuerKind;
  state: IssuerState;
  signsFrom: Date;
  revokedAt: Date | null;
  rowVersion: number;
  createdAt: Date;
  der: Buffer;
  pem: string;
  info: CertificateInfo;
  /** What certificates and CRLs are signed with; null when the key is offline, and for a cross certificate. */
  issuer: Issuer | null;
}

/** A CA whose key is here. */
export type SigningCa = Ca & { issuer: Issuer };

export const canSign = (ca: Ca): ca is SigningCa => ca.issuer !== null;

/** Issuer id: the first 32 hex digits of the SHA-256 of the certificate. */
export function issuerIdOf(der: Buffer): string {
  return createHash('sha256').update(der).digest('hex').slice(0, 32);
}

export function caOf(row: IssuerRow, privateKey: Issuer['privateKey'] | null): Ca {
  const info = readCertificate(row.cert);
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    signsFrom: row.signs_from,
    revokedAt: row.revoked_at,
    rowVersion: row.row_version,
    createdAt: row.created_at,
    der: row.cert,
    pem: toPem('CERTIFICATE', row.cert),
    info,
    issuer: privateKey && { subjectDer: info.subjectDer, keyId: info.keyId, privateKey },
  };
}

/** True when the certificate of `ca` names `signer` as its signer, by name and key id. */
export function isUnder(ca: Ca, signer: Ca): boolean {
  const { issuerDer, authorityKeyId } = ca.info;
  const sameKey = authorityKeyId === null || authorityKeyId.equals(signer.info.keyId);
  return sameKey && issuerDer.equals(signer.info.subjectDer);
}
