import type { Queryable } from '@glacis/store';
import type { ImportedCa } from './judge-ca.js';

/** Takes over what a CA brought in has revoked, and its last number. The entries' certificates may live as long as it. */
export async function takeOverCrl(db: Queryable, ca: ImportedCa): Promise<void> {
  const { past, info } = ca;
  if (past === null) return;
  const entries = past.entries.map((entry) => ({
    serial: entry.serial.toString(),
    entry: `\\x${entry.der.toString('hex')}`,
    revoked_at: entry.revokedAt,
  }));
  await db.query(
    `INSERT INTO crl_entries (issuer_id, serial, entry, revoked_at, change_seq, expires_at)
     SELECT $1, serial, entry, revoked_at, seq.next, $3
     FROM json_populate_recordset(NULL::crl_entries, $2::json),
       (SELECT nextval('revocation_sequence') AS next) AS seq
     ON CONFLICT (issuer_id, serial) DO NOTHING`,
    [ca.id, JSON.stringify(entries), info.notAfter],
  );
  await db.query(
    `UPDATE crl_shards SET number = $2 WHERE issuer_id = $1 AND scope IN ('full', 'root')`,
    [ca.id, past.number ?? 0n],
  );
}

/** The CRL of a root whose key is offline serves as it is. True when it is newer than the stored one. */
export async function keepImportedCrl(db: Queryable, ca: ImportedCa): Promise<boolean> {
  const { past } = ca;
  if (past === null) return false;
  const rows = await db.query(
    `UPDATE crl_shards SET number = $2, der = $3, built_at = $4, this_update = $4, next_update = $5
     WHERE issuer_id = $1 AND scope = 'root' AND (this_update IS NULL OR (this_update, number) < ($4, $2))
     RETURNING scope`,
    [ca.id, past.number ?? 0n, past.der, past.thisUpdate, past.nextUpdate ?? past.thisUpdate],
  );
  return rows.length > 0;
}
