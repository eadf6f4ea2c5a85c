import type { Queryable } from '@glacis/store';

/**
 * Which certificates of an issuer a CRL lists: the leaves of one shard, all leaves (`full`), or the intermediates
 * (`root`).
 */
export interface CrlScope {
  issuerId: string;
  scope: number | 'full' | 'root';
}

/** What is stored of a scope's CRL, without its bytes. */
export interface ScopeState {
  url: string | null;
  number: string;
  built_seq: string;
  built_at: Date | null;
  this_update: Date | null;
  next_update: Date | null;
}

const shardOf = ({ scope }: CrlScope): number | null => (typeof scope === 'number' ? scope : null);

/** The part of `crl_entries` that is the scope's; parameters 1 and 2 are the issuer and the shard, if it is one. */
const inScope = ({ scope }: CrlScope): string =>
  typeof scope === 'number'
    ? 'issuer_id = $1 AND shard = $2'
    : 'issuer_id = $1 AND $2::int IS NULL';

/** The stored state; `lock` holds the row to the end of the transaction. */
export async function scopeState(
  db: Queryable,
  { issuerId, scope }: CrlScope,
  { lock }: { lock: boolean },
): Promise<ScopeState | undefined> {
  const [row] = await db.query<ScopeState>(
    `SELECT url, number, built_seq, built_at, this_update, next_update FROM crl_shards
     WHERE issuer_id = $1 AND scope = $2 ${lock ? 'FOR UPDATE' : ''}`,
    [issuerId, String(scope)],
  );
  return row;
}

/** The latest change of the scope's entries. */
export async function latestChange(db: Queryable, scope: CrlScope): Promise<bigint> {
  const [row] = await db.query<{ seq: string | null }>(
    `SELECT max(change_seq) AS seq FROM crl_entries WHERE ${inScope(scope)}`,
    [scope.issuerId, shardOf(scope)],
  );
  return BigInt(row?.seq ?? 0);
}

export interface JoinedEntries {
  /** Every entry in DER, one after another. */
  entries: Buffer | null;
  /** The latest change among all of the scope. */
  seq: string | null;
  revoked_at: Date | null;
}

/** Joins the entries that still stand: those whose certificate had not ended when the last CRL was made. */
export async function joinEntries(
  db: Queryable,
  scope: CrlScope,
  lastBuilt: Date | null,
): Promise<JoinedEntries> {
  const [row] = await db.query<JoinedEntries>(
    `SELECT string_agg(entry, ''::bytea ORDER BY change_seq)
         FILTER (WHERE expires_at >= coalesce($3, '-infinity'::timestamptz)) AS entries,
       max(change_seq) AS seq, max(revoked_at) AS revoked_at
     FROM crl_entries WHERE ${inScope(scope)}`,
    [scope.issuerId, shardOf(scope), lastBuilt],
  );
  return row ?? { entries: null, seq: null, revoked_at: null };
}

export interface BuiltCrl {
  number: bigint;
  der: Buffer;
  seq: bigint;
  builtAt: Date;
  thisUpdate: Date;
  nextUpdate: Date;
}

export async function keepCrl(
  db: Queryable,
  { issuerId, scope }: CrlScope,
  built: BuiltCrl,
): Promise<void> {
  await db.query(
    `UPDATE crl_shards SET number = $3, der = $4, built_seq = $5, built_at = $6, this_update = $7,
       next_update = $8
     WHERE issuer_id = $1 AND scope = $2`,
    [
      issuerId,
      String(scope),
      built.number,
      built.der,
      built.seq,
      built.builtAt,
      built.thisUpdate,
      built.nextUpdate,
    ],
  );
}

/** The stored bytes with their number, read together. */
export async function storedDer(
  db: Queryable,
  { issuerId, scope }: CrlScope,
): Promise<{ number: string; der: Buffer } | undefined> {
  const [row] = await db.query<{ number: string; der: Buffer }>(
    `SELECT number, der FROM crl_shards WHERE issuer_id = $1 AND scope = $2 AND der IS NOT NULL`,
    [issuerId, String(scope)],
  );
  return row;
}
