import type { Sealed } from '@glacis/pki';
import type { Queryable, Tx } from '@glacis/store';

/** How the manager of a host is called. */
export interface VmManagerRow {
  backendId: string;
  address: string;
  ca: string;
  certificate: string;
  key: Sealed;
  /** Life of a VM whose creator says nothing; null: without end. */
  ttlMs: number | null;
  platforms: string[];
  updatedAt: Date;
}

/** What of a stored key changes with the key-encryption key. */
type Wrapped = Pick<Sealed, 'kekId' | 'wrappedDek'>;

interface Flat extends Omit<VmManagerRow, 'key' | 'ttlMs'>, Sealed {
  ttlMs: string | null;
}

export async function saveManager(db: Queryable, row: VmManagerRow): Promise<void> {
  const { kekId, wrappedDek, iv, ciphertext, tag } = row.key;
  await db.query(
    `INSERT INTO vm_managers (backend_id, address, ca, certificate, ttl_ms, platforms, updated_at,
       key_kek_id, key_wrapped_dek, key_iv, key_ciphertext, key_tag)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (backend_id) DO UPDATE SET address = excluded.address, ca = excluded.ca,
       certificate = excluded.certificate, ttl_ms = excluded.ttl_ms,
       platforms = excluded.platforms, updated_at = excluded.updated_at,
       key_kek_id = excluded.key_kek_id, key_wrapped_dek = excluded.key_wrapped_dek,
       key_iv = excluded.key_iv, key_ciphertext = excluded.key_ciphertext,
       key_tag = excluded.key_tag`,
    [
      row.backendId,
      row.address,
      row.ca,
      row.certificate,
      row.ttlMs,
      row.platforms,
      row.updatedAt,
      kekId,
      wrappedDek,
      iv,
      ciphertext,
      tag,
    ],
  );
}

export async function managerOf(
  db: Queryable,
  backendId: string,
): Promise<VmManagerRow | undefined> {
  const [row] = await db.query<Flat>(
    `SELECT backend_id AS "backendId", address, ca, certificate, ttl_ms AS "ttlMs", platforms,
       updated_at AS "updatedAt", key_kek_id AS "kekId", key_wrapped_dek AS "wrappedDek",
       key_iv AS iv, key_ciphertext AS ciphertext, key_tag AS tag
     FROM vm_managers WHERE backend_id = $1`,
    [backendId],
  );
  if (row === undefined) return undefined;
  const { kekId, wrappedDek, iv, ciphertext, tag, ttlMs, ...rest } = row;
  const key = { kekId, wrappedDek, iv, ciphertext, tag };
  return { ...rest, key, ttlMs: ttlMs === null ? null : Number(ttlMs) };
}

/** False when there was none. */
export async function removeManager(db: Queryable, backendId: string): Promise<boolean> {
  const rows = await db.query('DELETE FROM vm_managers WHERE backend_id = $1 RETURNING 1', [
    backendId,
  ]);
  return rows.length > 0;
}

/** Keys that were wrapped by any of these key-encryption keys and that nobody else is about to change. */
export function lockKeysWrappedBy(
  tx: Tx,
  kekIds: string[],
  limit: number,
): Promise<(Wrapped & { hostId: string })[]> {
  return tx.query(
    `SELECT backend_id AS "hostId", key_kek_id AS "kekId", key_wrapped_dek AS "wrappedDek"
     FROM vm_managers WHERE key_kek_id = ANY($1) LIMIT $2 FOR UPDATE SKIP LOCKED`,
    [kekIds, limit],
  );
}

export async function saveWrapped(tx: Tx, hostId: string, key: Wrapped): Promise<void> {
  await tx.query(
    'UPDATE vm_managers SET key_kek_id = $2, key_wrapped_dek = $3 WHERE backend_id = $1',
    [hostId, key.kekId, key.wrappedDek],
  );
}
