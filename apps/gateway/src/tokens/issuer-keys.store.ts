import type { Sealed } from '@glacis/pki';
import type { Queryable, Tx } from '@glacis/store';

/** A key of the token issuer as it is stored. */
export interface StoredKey {
  id: string;
  /** Null: it signs. */
  until: Date | null;
  sealed: Sealed;
}

interface Row {
  id: string;
  until: Date | null;
  kek_id: string;
  wrapped_dek: Buffer;
  iv: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

const columns = 'id, until, kek_id, wrapped_dek, iv, ciphertext, tag';

export async function readKeys(db: Queryable): Promise<StoredKey[]> {
  const rows = await db.query<Row>(`SELECT ${columns} FROM issuer_keys ORDER BY id`);
  return rows.map(({ id, until, kek_id: kekId, wrapped_dek: wrappedDek, iv, ciphertext, tag }) => ({
    id,
    until,
    sealed: { kekId, wrappedDek, iv, ciphertext, tag },
  }));
}

/** As {@link readKeys}; nobody else writes them until the transaction ends. */
export async function lockKeys(tx: Tx): Promise<StoredKey[]> {
  await tx.query('LOCK TABLE issuer_keys IN SHARE ROW EXCLUSIVE MODE');
  return readKeys(tx);
}

export async function replaceKeys(tx: Tx, keys: readonly StoredKey[]): Promise<void> {
  await tx.query('DELETE FROM issuer_keys');
  for (const { id, until, sealed } of keys) {
    const { kekId, wrappedDek, iv, ciphertext, tag } = sealed;
    await tx.query(`INSERT INTO issuer_keys (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7)`, [
      id,
      until,
      kekId,
      wrappedDek,
      iv,
      ciphertext,
      tag,
    ]);
  }
}

/** @param olderKek by which it was wrapped: whoever was faster has done it */
export async function saveWrapped(
  db: Queryable,
  { id, sealed }: Pick<StoredKey, 'id'> & { sealed: Pick<Sealed, 'kekId' | 'wrappedDek'> },
  olderKek: string,
): Promise<void> {
  await db.query(
    'UPDATE issuer_keys SET kek_id = $2, wrapped_dek = $3 WHERE id = $1 AND kek_id = $4',
    [id, sealed.kekId, sealed.wrappedDek, olderKek],
  );
}
