import type { AdminScope, RevocationSource } from '@glacis/identity';
import { pageOf, type Queryable } from '@glacis/store';
import type { RoleName, Token } from './token.entity.js';

interface Row {
  id: string;
  subject: string;
  tenant: string | null;
  roles: RoleName[];
  created_at: Date;
  created_by: string;
  expires_at: Date;
  revoked_at: Date | null;
  revoked_by: string | null;
}

const columns =
  'id, subject, tenant, roles, created_at, created_by, expires_at, revoked_at, revoked_by';

// $1 is the tenant, or null for all; what a scope does not cover is as if it were not there.
const inScope = `($1::text IS NULL OR (tenant = $1 AND NOT 'platform-admin' = ANY (roles)))`;

function scopeValue(scope: AdminScope): string | null {
  return scope === 'all' ? null : scope.tenant;
}

export async function insertToken(
  tx: Queryable,
  token: Omit<Token, 'revokedAt' | 'revokedBy'>,
): Promise<void> {
  const { id, subject, tenant, roles, createdAt, createdBy, expiresAt } = token;
  await tx.query(
    `INSERT INTO tokens (id, subject, tenant, roles, created_at, created_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, subject, tenant, roles, createdAt, createdBy, expiresAt],
  );
}

/** The newest first. */
export async function listTokens(
  db: Queryable,
  scope: AdminScope,
  page: { offset: number; limit: number },
): Promise<{ total: number; tokens: Token[] }> {
  const list = { select: columns, from: `tokens WHERE ${inScope}`, orderBy: 'id DESC' };
  const { total, rows } = await pageOf<Row>(db, list, [scopeValue(scope)], page);
  return { total, tokens: rows.map(tokenOf) };
}

export async function findToken(
  db: Queryable,
  scope: AdminScope,
  id: string,
): Promise<Token | undefined> {
  const [row] = await db.query<Row>(`SELECT ${columns} FROM tokens WHERE ${inScope} AND id = $2`, [
    scopeValue(scope),
    id,
  ]);
  return row && tokenOf(row);
}

/** As {@link findToken}, and no other transaction may change it until this one ends. */
export async function lockToken(
  tx: Queryable,
  scope: AdminScope,
  id: string,
): Promise<Token | undefined> {
  const [row] = await tx.query<Row>(
    `SELECT ${columns} FROM tokens WHERE ${inScope} AND id = $2 FOR UPDATE`,
    [scopeValue(scope), id],
  );
  return row && tokenOf(row);
}

export async function markRevoked(
  tx: Queryable,
  revocation: { id: string; at: Date; by: string },
): Promise<void> {
  await tx.query(
    `UPDATE tokens SET revoked_at = $2, revoked_by = $3, revoked_xid = pg_current_xact_id() WHERE id = $1`,
    [revocation.id, revocation.at, revocation.by],
  );
}

/** Removes tokens that ended before then, revoked or not. */
export async function purgeTokens(db: Queryable, endedBefore: Date): Promise<void> {
  await db.query('DELETE FROM tokens WHERE expires_at < $1', [endedBefore]);
}

/** Revocations in one answer at most, about 100 bytes each. */
const pageSize = 10_000;

/**
 * Reads revocations on from where an earlier read stood. The watermark is the oldest transaction that was still under
 * way then: all before it were visible, and whatever commits later has a higher number. In the middle of a long list it
 * is the last transaction that was told.
 */
export function revocationSource(db: Queryable, expiredAfter: () => Date): RevocationSource {
  return {
    async revokedSince(watermark) {
      const [snapshot] = await db.query<{ watermark: string }>(
        'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS watermark',
      );
      const rows = await db.query<{ id: string; expires_at: Date; xid: string }>(
        `SELECT id, expires_at, revoked_xid::text AS xid FROM tokens
         WHERE revoked_xid >= $1::xid8 AND expires_at > $2 ORDER BY revoked_xid LIMIT ${pageSize}`,
        [watermark ?? '0', expiredAfter()],
      );
      const more = rows.length === pageSize;
      return {
        revoked: rows.map((row) => ({ id: row.id, expiresAt: row.expires_at })),
        watermark: (more ? rows.at(-1)?.xid : snapshot?.watermark) ?? '0',
        more,
      };
    },
  };
}

function tokenOf(row: Row): Token {
  return {
    id: row.id,
    subject: row.subject,
    tenant: row.tenant,
    roles: row.roles,
    createdAt: row.created_at,
    createdBy: row.created_by,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_by,
  };
}
