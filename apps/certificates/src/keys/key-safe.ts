import { createPrivateKey, type KeyObject } from 'node:crypto';
import {
  rewrap,
  seal,
  SealBrokenError,
  unseal,
  type Binding,
  type KekRing,
  type Sealed,
} from '@glacis/pki';
import type { Queryable, Store } from '@glacis/store';
import { newId, type Clock } from '@glacis/runtime';

/** What a stored secret is for; part of what its encryption is bound to. */
export type KeyPurpose = 'leaf' | 'issuer' | 'responder' | 'download-token';

/** A row of `private_keys`, as JSON for `insertKeys`. */
export interface SealedKey {
  id: string;
  purpose: KeyPurpose;
  kek_id: string;
  wrapped_dek: string;
  iv: string;
  ciphertext: string;
  tag: string;
  created_at: Date;
  /** Null: kept until somebody deletes it. */
  erase_at: Date | null;
}

interface KeyRow {
  id: string;
  purpose: KeyPurpose;
  kek_id: string;
  wrapped_dek: Buffer;
  iv: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

const rewrapBatch = 200;
const firstId = '00000000-0000-0000-0000-000000000000';
const namedAtMost = 20;

/** Stored keys that do not open: restore their rows, or have their certificates issued again. */
export class KeysBrokenError extends Error {
  readonly code = 'KEYS_BROKEN';

  constructor(broken: readonly SealBrokenError[]) {
    const named = broken.slice(0, namedAtMost).map(({ message }) => message);
    super(`${broken.length} stored keys cannot be wrapped anew: ${named.join('; ')}`);
    this.name = 'KeysBrokenError';
  }
}

const bytea = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`;

const bindingOf = (row: Pick<KeyRow, 'id' | 'purpose'>): Binding => ({
  table: 'private_keys',
  id: row.id,
  purpose: row.purpose,
});

const sealedOf = (row: KeyRow): Sealed => ({
  kekId: row.kek_id,
  wrappedDek: row.wrapped_dek,
  iv: row.iv,
  ciphertext: row.ciphertext,
  tag: row.tag,
});

/** Keeps every private key of the service, each encrypted under the key-encryption key (`certificates.md` 5). */
export class KeySafe {
  private broken: KeysBrokenError | undefined;

  constructor(
    private readonly store: Store,
    private readonly keks: KekRing,
    private readonly clock: Clock,
  ) {}

  /** Encrypts a key for storing; nothing is written yet. */
  seal(secret: KeyObject | Buffer, purpose: KeyPurpose): SealedKey {
    const id = newId(this.clock);
    const bytes = Buffer.isBuffer(secret)
      ? secret
      : secret.export({ type: 'pkcs8', format: 'der' });
    const sealed = seal(bytes, bindingOf({ id, purpose }), this.keks);
    return {
      id,
      purpose,
      kek_id: sealed.kekId,
      wrapped_dek: bytea(sealed.wrappedDek),
      iv: bytea(sealed.iv),
      ciphertext: bytea(sealed.ciphertext),
      tag: bytea(sealed.tag),
      created_at: this.clock.now(),
      erase_at: null,
    };
  }

  /** Writes sealed keys, all with one statement. */
  async insert(db: Queryable, keys: readonly SealedKey[]): Promise<void> {
    if (keys.length === 0) return;
    await db.query(
      `INSERT INTO private_keys
         (id, purpose, kek_id, wrapped_dek, iv, ciphertext, tag, created_at, erase_at)
       SELECT id, purpose, kek_id, wrapped_dek, iv, ciphertext, tag, created_at, erase_at
       FROM json_populate_recordset(NULL::private_keys, $1::json)`,
      [JSON.stringify(keys)],
    );
  }

  /**
   * The bytes of a stored secret, or null when it is unknown, erased or due to be.
   * @throws {SealBrokenError}
   */
  async open(id: string): Promise<Buffer | null> {
    const [row] = await this.store.query<KeyRow>(
      `SELECT id, purpose, kek_id, wrapped_dek, iv, ciphertext, tag FROM private_keys
       WHERE id = $1 AND erased_at IS NULL AND (erase_at IS NULL OR erase_at > $2)`,
      [id, this.clock.now()],
    );
    return row === undefined ? null : unseal(sealedOf(row), bindingOf(row), this.keks);
  }

  /** As `open`, for a private key in PKCS#8. */
  async openKey(id: string): Promise<KeyObject | null> {
    const bytes = await this.open(id);
    return bytes === null ? null : createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
  }

  /** Erases every key whose time has come. The row stays, as certificates name it. */
  async eraseDue(): Promise<void> {
    await this.store.query(
      `UPDATE private_keys
       SET kek_id = NULL, wrapped_dek = NULL, iv = NULL, ciphertext = NULL, tag = NULL, erased_at = $1
       WHERE erased_at IS NULL AND erase_at <= $1`,
      [this.clock.now()],
    );
  }

  /** @throws when a key of the CA was wrapped by a key-encryption key that is not loaded */
  async assertOpenable(): Promise<void> {
    const [foreign] = await this.store.query<{ kek_id: string }>(
      `SELECT kek_id FROM private_keys
       WHERE purpose <> 'leaf' AND erased_at IS NULL AND kek_id <> ALL($1) LIMIT 1`,
      [[...this.keks.byId.keys()]],
    );
    if (foreign !== undefined)
      throw new Error(`key-encryption key ${foreign.kek_id} is not loaded`);
  }

  /**
   * Wraps data keys of older key-encryption keys anew, batch after batch, past those that do not open.
   * @throws {KeysBrokenError} at the end, when there were some
   */
  async rewrapOld(): Promise<void> {
    const { current, byId } = this.keks;
    const older = [...byId.keys()].filter((id) => id !== current.id);
    const broken: SealBrokenError[] = [];
    let batch = older.length === 0 ? [] : await this.wrappedBy(older, firstId);
    for (; batch.length > 0; batch = await this.wrappedBy(older, batch.at(-1)?.id ?? firstId)) {
      broken.push(...(await this.rewrapAll(batch)));
    }
    this.broken = broken.length === 0 ? undefined : new KeysBrokenError(broken);
    if (this.broken) throw this.broken;
  }

  /** @throws {KeysBrokenError} when the last `rewrapOld` met keys that do not open */
  assertWhole(): void {
    if (this.broken) throw this.broken;
  }

  private wrappedBy(keks: string[], after: string): Promise<KeyRow[]> {
    return this.store.query<KeyRow>(
      `SELECT id, purpose, kek_id, wrapped_dek FROM private_keys
       WHERE erased_at IS NULL AND kek_id = ANY($1) AND id > $2 ORDER BY id LIMIT ${rewrapBatch}`,
      [keks, after],
    );
  }

  /** Gives those that do not open. Of two replicas that meet at a row, or of an erasure, the first wins. */
  private async rewrapAll(rows: readonly KeyRow[]): Promise<SealBrokenError[]> {
    const tried = rows.map((row) => this.rewrapped(row));
    const wrapped = tried.filter((each) => 'wrappedDek' in each);
    await this.store.query(
      `UPDATE private_keys k SET kek_id = $4, wrapped_dek = made.dek
       FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS made (id, kek, dek)
       WHERE k.id = made.id AND k.kek_id = made.kek`,
      [
        wrapped.map(({ id }) => id),
        wrapped.map(({ olderKek }) => olderKek),
        wrapped.map(({ wrappedDek }) => wrappedDek),
        this.keks.current.id,
      ],
    );
    return tried.filter((each) => each instanceof SealBrokenError);
  }

  private rewrapped(
    row: KeyRow,
  ): { id: string; olderKek: string; wrappedDek: Buffer } | SealBrokenError {
    try {
      const { wrappedDek } = rewrap(sealedOf(row), bindingOf(row), this.keks);
      return { id: row.id, olderKek: row.kek_id, wrappedDek };
    } catch (error) {
      if (error instanceof SealBrokenError) return error;
      throw error;
    }
  }
}
