import type { Sealed } from '@glacis/pki';
import type { Queryable } from '@glacis/store';

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
