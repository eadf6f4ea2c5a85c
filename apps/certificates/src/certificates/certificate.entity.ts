import type { Profile } from '../issuing/profile-rules.js';

/** A row of `certificates` as it is read; serials are decimal text. */
export interface CertificateRow {
  serial: string;
  tenant_id: string;
  entity_type: string;
  entity_id: string;
  profile: Profile;
  issuer_id: string;
  shard: number | null;
  der: Buffer;
  /** Issuers whose certificates follow the leaf in its files, in order. */
  chain_ids: string[];
  /** SAN addresses and host names in canonical form, in that order. */
  names: string[];
  spki_sha256: Buffer;
  fingerprint_sha256: Buffer;
  not_before: Date;
  not_after: Date;
  issued_at: Date;
  /** The life wished for, which the end of the issuer may have shortened. */
  ttl_seconds: string;
  key_algorithm: string;
  key_id: string | null;
  status: 'valid' | 'revoked';
  revoked_at: Date | null;
  revocation_reason: number | null;
  revocation_seq: string | null;
  renewed_from: string | null;
  renewed_to: string | null;
  file_sha256: Buffer;
  file_sha512: Buffer;
  leaf_sha256: Buffer;
  leaf_sha512: Buffer;
  row_version: number;
}

export type CertificateStatus = 'valid' | 'revoked' | 'expired';

/** Revocation goes before expiry: what was revoked stays revoked. */
export function statusOf(
  row: Pick<CertificateRow, 'status' | 'not_after'>,
  now: Date,
): CertificateStatus {
  if (row.status === 'revoked') return 'revoked';
  return row.not_after > now ? 'valid' : 'expired';
}

/** The time that older clients show as expiry: the end, or the revocation where there was one. */
export function expiryOf(row: Pick<CertificateRow, 'revoked_at' | 'not_after'>): string {
  return shortTime(row.revoked_at ?? row.not_after);
}

/** RFC 3339 UTC; zeros at the end of the fraction dropped. */
export function shortTime(time: Date): string {
  return time.toISOString().replace(/\.?0+Z$/, 'Z');
}
