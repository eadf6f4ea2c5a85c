import type { Queryable } from '@glacis/store';
import type { CertificateRow } from '../certificates/certificate.entity.js';

export type ExpiringRow = Pick<
  CertificateRow,
  'serial' | 'tenant_id' | 'entity_type' | 'entity_id' | 'not_after'
>;

/**
 * How many steps have passed at $1: 30, 7 and 1 days before the end; one third and one tenth of a life that is shorter
 * than the 90 days of which 30 are a third.
 */
const stepsPassed = `CASE WHEN c.not_after - c.not_before >= interval '90 days'
  THEN (c.not_after <= $1::timestamptz + interval '30 days')::int + (c.not_after <= $1::timestamptz + interval '7 days')::int
    + (c.not_after <= $1::timestamptz + interval '1 day')::int
  ELSE (c.not_after <= $1::timestamptz + (c.not_after - c.not_before) / 3)::int
    + (c.not_after <= $1::timestamptz + (c.not_after - c.not_before) / 10)::int END`;

/** Those that their owner has to do something about: our own services and short ones renew by themselves. */
const expiring = `c.status = 'valid' AND c.not_after > $1::timestamptz AND c.not_after <= $1::timestamptz + interval '30 days'
  AND c.profile <> 'short' AND c.entity_type <> 'service' AND i.revoked_at IS NULL
  AND NOT EXISTS (SELECT FROM certificates s WHERE s.serial = c.renewed_to AND s.used_at IS NOT NULL)`;

/** Marks the step that certificates have come to, each once over all replicas, and gives at most `limit` of them. */
export function markExpiring(db: Queryable, now: Date, limit: number): Promise<ExpiringRow[]> {
  return db.query<ExpiringRow>(
    `WITH due AS (
       SELECT c.serial, ${stepsPassed} AS steps
       FROM certificates c JOIN issuers i ON i.id = c.issuer_id
       WHERE ${expiring} AND ${stepsPassed} > c.expiring_told
       ORDER BY c.not_after LIMIT $2 FOR UPDATE OF c SKIP LOCKED
     )
     UPDATE certificates c SET expiring_told = due.steps FROM due WHERE c.serial = due.serial
     RETURNING c.serial, c.tenant_id, c.entity_type, c.entity_id, c.not_after`,
    [now, limit],
  );
}

/** How many end within 30, 7 and 1 days. */
export async function countExpiring(
  db: Queryable,
  now: Date,
): Promise<{ days: number; count: number }[]> {
  const rows = await db.query<{ days: number; count: string }>(
    `SELECT days, count(c.serial) AS count FROM unnest(ARRAY[30, 7, 1]) AS step (days)
     LEFT JOIN (certificates c JOIN issuers i ON i.id = c.issuer_id)
       ON ${expiring} AND c.not_after <= $1::timestamptz + days * interval '1 day'
     GROUP BY days`,
    [now],
  );
  return rows.map(({ days, count }) => ({ days, count: Number(count) }));
}

/** Notes that a renewed certificate has been used: its predecessor may end in silence. */
export async function markUsed(db: Queryable, serial: string, now: Date): Promise<void> {
  await db.query(
    `UPDATE certificates SET used_at = $2
     WHERE serial = $1 AND renewed_from IS NOT NULL AND used_at IS NULL`,
    [serial, now],
  );
}
