import type { Queryable } from '@glacis/store';
import type { Ca, IssuerKind, IssuerRow, IssuerState } from './issuer.entity.js';

/** Every CA certificate, oldest first. */
export function allIssuers(db: Queryable): Promise<IssuerRow[]> {
  return db.query<IssuerRow>(
    `SELECT id, kind, cert, key_id, state, coalesce(signs_from, created_at) AS signs_from,
       revoked_at, row_version, not_after, created_at
     FROM issuers ORDER BY created_at, kind DESC, signs_from, id`,
  );
}

export interface NewIssuer {
  id: string;
  kind: IssuerKind;
  state: IssuerState;
  der: Buffer;
  keyId: string | null;
  notAfter: Date;
  signsFrom: Date;
  createdAt: Date;
}

/** Writes a CA certificate and, but for a cross certificate, the scope of its complete CRL. */
export async function insertIssuer(db: Queryable, ca: NewIssuer): Promise<void> {
  await db.query(
    `INSERT INTO issuers (id, kind, cert, key_id, state, not_after, signs_from, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [ca.id, ca.kind, ca.der, ca.keyId, ca.state, ca.notAfter, ca.signsFrom, ca.createdAt],
  );
  if (ca.kind === 'cross') return;
  await db.query(`INSERT INTO crl_shards (issuer_id, scope) VALUES ($1, $2)`, [
    ca.id,
    ca.kind === 'root' ? 'root' : 'full',
  ]);
}

export async function setState(db: Queryable, id: string, state: IssuerState): Promise<void> {
  await db.query(`UPDATE issuers SET state = $2, row_version = row_version + 1 WHERE id = $1`, [
    id,
    state,
  ]);
}

/** Makes one issuer the current one of its kind; the one before retires. */
export async function makeCurrent(db: Queryable, id: string): Promise<void> {
  await db.query(
    `UPDATE issuers SET state = 'retired', row_version = row_version + 1
     WHERE state = 'current' AND id <> $1 AND kind = (SELECT kind FROM issuers WHERE id = $1)`,
    [id],
  );
  await db.query(
    `UPDATE issuers SET state = 'current', row_version = row_version + 1
     WHERE id = $1 AND state <> 'current'`,
    [id],
  );
}

/** Which of the issuers have a leaf that has not ended. */
export async function issuersInUse(
  db: Queryable,
  ids: readonly string[],
  now: Date,
): Promise<Set<string>> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM unnest($1::text[]) AS issuer (id)
     WHERE EXISTS (SELECT FROM certificates c WHERE c.issuer_id = issuer.id AND c.not_after > $2)`,
    [ids, now],
  );
  return new Set(rows.map((row) => row.id));
}

export async function revokedIssuers(db: Queryable): Promise<Set<string>> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM issuers WHERE revoked_at IS NOT NULL`,
  );
  return new Set(rows.map((row) => row.id));
}

export interface ResponderRow {
  id: string;
  issuer_id: string;
  cert: Buffer;
  key_id: string;
  not_after: Date;
  created_at: Date;
}

/** The newest responder certificate of an issuer. */
export async function newestResponder(
  db: Queryable,
  issuerId: string,
): Promise<ResponderRow | undefined> {
  const [row] = await db.query<ResponderRow>(
    `SELECT * FROM responders WHERE issuer_id = $1 ORDER BY created_at DESC LIMIT 1`,
    [issuerId],
  );
  return row;
}

export async function insertResponder(db: Queryable, row: ResponderRow): Promise<void> {
  await db.query(
    `INSERT INTO responders (id, issuer_id, cert, key_id, not_after, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [row.id, row.issuer_id, row.cert, row.key_id, row.not_after, row.created_at],
  );
}

/** Marks an issuer as revoked, in a transaction that holds `lockRevocations`. Tells its place in the sequence. */
export async function markIssuerRevoked(
  db: Queryable,
  id: string,
  reason: number,
  now: Date,
): Promise<string> {
  const [row] = await db.query<{ revocation_seq: string }>(
    `UPDATE issuers SET state = 'revoked', revoked_at = $3, revocation_reason = $2,
       revocation_seq = nextval('revocation_sequence'), row_version = row_version + 1
     WHERE id = $1 RETURNING revocation_seq`,
    [id, reason, now],
  );
  if (row === undefined) throw new Error(`issuer ${id} is gone`);
  return row.revocation_seq;
}

/** Keeps the entry of a revoked intermediate for the CRL of its root. */
export async function keepIssuerEntry(
  db: Queryable,
  rootId: string,
  revoked: { ca: Ca; entry: Buffer; revokedAt: Date; sequence: string },
): Promise<void> {
  const { ca, entry, revokedAt, sequence } = revoked;
  await db.query(
    `INSERT INTO crl_entries (issuer_id, serial, entry, revoked_at, change_seq, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (issuer_id, serial) DO NOTHING`,
    [rootId, ca.info.serial.toString(), entry, revokedAt, sequence, ca.info.notAfter],
  );
}
