import type { Queryable, Tx } from '@glacis/store';
import type { BackendType } from './backend.js';

export interface DeletingBackend {
  id: string;
  tenant: string;
  entityType: BackendType;
  name: string;
  address: string;
  rowVersion: number;
  /** Somebody has asked for its deletion before. */
  marked: boolean;
}

const columns = `id, tenant_id AS tenant, entity_type AS "entityType", name, address, row_version AS "rowVersion",
  deleting_at IS NOT NULL AS marked`;

export async function lockForDeletion(
  tx: Tx,
  tenant: string,
  id: string,
): Promise<DeletingBackend | undefined> {
  const [row] = await tx.query<DeletingBackend>(
    `SELECT ${columns} FROM backends WHERE id = $1 AND tenant_id = $2 FOR UPDATE`,
    [id, tenant],
  );
  return row;
}

/** The VMs of a host; nobody else changes them until the transaction ends. */
export async function lockGuests(tx: Tx, hostId: string): Promise<DeletingBackend[]> {
  return tx.query<DeletingBackend>(
    `SELECT ${columns} FROM backends WHERE host_id = $1 ORDER BY id FOR UPDATE`,
    [hostId],
  );
}

export async function markDeleting(tx: Tx, id: string): Promise<void> {
  await tx.query('UPDATE backends SET deleting_at = now() WHERE id = $1', [id]);
}

/** Deletions that have been going on for longer than any request. */
export function abandonedDeletions(db: Queryable): Promise<DeletingBackend[]> {
  return db.query<DeletingBackend>(
    `SELECT ${columns} FROM backends WHERE deleting_at < now() - interval '30 s'
     ORDER BY deleting_at LIMIT 100`,
  );
}

/** The VMs of a host. */
export function guestsOf(db: Queryable, hostId: string): Promise<DeletingBackend[]> {
  return db.query<DeletingBackend>(
    `SELECT ${columns} FROM backends WHERE host_id = $1 ORDER BY id`,
    [hostId],
  );
}

/** Keeps a backend for the one that finishes its deletion; false when another finisher was first. */
export async function lockMarked(tx: Tx, id: string): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 FROM backends WHERE id = $1 AND deleting_at IS NOT NULL FOR UPDATE',
    [id],
  );
  return rows.length > 0;
}

export async function removeMarked(tx: Tx, id: string): Promise<void> {
  await tx.query('DELETE FROM backends WHERE id = $1', [id]);
}
