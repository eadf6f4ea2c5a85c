import type { Queryable } from '@glacis/store';
import { keyCompromise } from './reasons.js';
import type { RevokedRow } from './revocation.store.js';

/**
 * Keeps the keys of certificates revoked for keyCompromise, by the hash of their SubjectPublicKeyInfo and for ever: a
 * stolen key does not get better when the certificate's row is purged. In a transaction that holds `lockRevocations`.
 */
export async function keepCompromisedKeys(
  db: Queryable,
  rows: readonly RevokedRow[],
): Promise<void> {
  const stolen = rows.filter((row) => row.revocation_reason === keyCompromise);
  if (stolen.length === 0) return;
  await db.query(
    `INSERT INTO compromised_keys (spki_sha256, since)
     SELECT DISTINCT ON (spki_sha256) spki_sha256, revoked_at FROM certificates
     WHERE serial = ANY($1::numeric[]) ORDER BY spki_sha256, revoked_at
     ON CONFLICT (spki_sha256) DO NOTHING`,
    [stolen.map((row) => row.serial)],
  );
}

/** Which of the keys, as `\\x` text, are known as stolen. */
export async function compromisedKeys(
  db: Queryable,
  spkiSha256: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ key: string }>(
    `SELECT spki_sha256::text AS key FROM compromised_keys WHERE spki_sha256 = ANY($1::bytea[])`,
    [spkiSha256],
  );
  return new Set(rows.map(({ key }) => key));
}
