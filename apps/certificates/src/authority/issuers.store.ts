import type { Queryable } from '@glacis/store';
import type { IssuerKind, IssuerRow } from './issuer.entity.js';

/** Every CA, oldest first. */
export function allIssuers(db: Queryable): Promise<IssuerRow[]> {
  return db.query<IssuerRow>(`SELECT * FROM issuers ORDER BY created_at, kind DESC`);
}

export interface NewIssuer {
  id: string;
  kind: IssuerKind;
  der: Buffer;
  keyId: string;
  notAfter: Date;
  createdAt: Date;
}

/** Writes a CA and the scope of its complete CRL. */
export async function insertIssuer(db: Queryable, ca: NewIssuer): Promise<void> {
  await db.query(
    `INSERT INTO issuers (id, kind, cert, key_id, state, not_after, created_at)
     VALUES ($1, $2, $3, $4, 'current', $5, $6)`,
    [ca.id, ca.kind, ca.der, ca.keyId, ca.notAfter, ca.createdAt],
  );
  await db.query(`INSERT INTO crl_shards (issuer_id, scope) VALUES ($1, $2)`, [
    ca.id,
    ca.kind === 'root' ? 'root' : 'full',
  ]);
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
