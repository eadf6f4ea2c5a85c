import type { Queryable } from '@glacis/store';

/** Live tokens of one backend; one more ends the oldest. */
const maxLive = 5;

/** Whom a token is for, and what it takes to use it. */
export interface TokenGrant {
  tenant: string;
  backendId: string;
  /** Block of addresses that the host must come from; null: from anywhere. */
  cidr: string | null;
  expiresAt: Date;
}

export interface NewToken extends TokenGrant {
  sha256: Buffer;
  createdBy: string;
  createdAt: Date;
}

/** A used token, kept until it would have ended: the same key gets the same certificate again. */
export interface Receipt extends TokenGrant {
  spkiSha256: Buffer;
  serial: string;
}

/** Held to the end of the transaction by everybody who makes a token for the backend, so that the count holds. */
export async function lockTokensOf(db: Queryable, backendId: string): Promise<void> {
  await db.query(
    `SELECT pg_advisory_xact_lock(hashtextextended('certificates:enrolment:' || $1, 0))`,
    [backendId],
  );
}

/** False when the backend is gone. In a transaction that holds `shareRevocations`. */
export async function insertToken(db: Queryable, token: NewToken): Promise<boolean> {
  const rows = await db.query(
    `INSERT INTO enrolment_tokens
       (token_sha256, tenant_id, backend_id, cidr, expires_at, created_by, created_at)
     SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM ended_entities
       WHERE entity_id = $3 AND entity_type = 'backend' AND tenant_id = $2)
     RETURNING token_sha256`,
    [
      token.sha256,
      token.tenant,
      token.backendId,
      token.cidr,
      token.expiresAt,
      token.createdBy,
      token.createdAt,
    ],
  );
  return rows.length > 0;
}

/** Ends what goes beyond the count of live tokens, oldest first. In a transaction that holds `lockTokensOf`. */
export async function endOldest(db: Queryable, backendId: string, now: Date): Promise<void> {
  await db.query(
    `DELETE FROM enrolment_tokens WHERE token_sha256 IN (
       SELECT token_sha256 FROM enrolment_tokens WHERE backend_id = $1 AND expires_at > $2
       ORDER BY created_at DESC, token_sha256 OFFSET ${maxLive})`,
    [backendId, now],
  );
}

const grantColumns = `tenant_id AS tenant, backend_id AS "backendId", cidr,
  expires_at AS "expiresAt"`;

export async function findToken(db: Queryable, sha256: Buffer): Promise<TokenGrant | undefined> {
  const [token] = await db.query<TokenGrant>(
    `SELECT ${grantColumns} FROM enrolment_tokens WHERE token_sha256 = $1`,
    [sha256],
  );
  return token;
}

/** Uses the token up; false when somebody else was faster, or it has ended. */
export async function takeToken(db: Queryable, sha256: Buffer, now: Date): Promise<boolean> {
  const rows = await db.query(
    `DELETE FROM enrolment_tokens WHERE token_sha256 = $1 AND expires_at > $2
     RETURNING token_sha256`,
    [sha256, now],
  );
  return rows.length > 0;
}

export async function insertReceipt(
  db: Queryable,
  sha256: Buffer,
  receipt: Receipt,
): Promise<void> {
  const { tenant, backendId, cidr, spkiSha256, serial, expiresAt } = receipt;
  await db.query(
    `INSERT INTO enrolments
       (token_sha256, tenant_id, backend_id, cidr, spki_sha256, serial, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [sha256, tenant, backendId, cidr, spkiSha256, serial, expiresAt],
  );
}

export async function findReceipt(db: Queryable, sha256: Buffer): Promise<Receipt | undefined> {
  const [receipt] = await db.query<Receipt>(
    `SELECT ${grantColumns}, spki_sha256 AS "spkiSha256", serial FROM enrolments
     WHERE token_sha256 = $1`,
    [sha256],
  );
  return receipt;
}

/** Removes tokens and receipts past their end. */
export async function purgeEnrolment(db: Queryable, now: Date): Promise<void> {
  await db.query(`DELETE FROM enrolment_tokens WHERE expires_at <= $1`, [now]);
  await db.query(`DELETE FROM enrolments WHERE expires_at <= $1`, [now]);
}
