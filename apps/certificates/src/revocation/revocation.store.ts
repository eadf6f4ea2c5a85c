import { crlEntry } from '@glacis/pki';
import type { Queryable } from '@glacis/store';
import type { CertificateRow } from '../certificates/certificate.entity.js';

/**
 * Held to the end of the transaction by everybody who revokes, so that revocations commit in the order of their
 * sequence: whoever has seen one number has seen all below it. Taken before any row.
 */
export async function lockRevocations(db: Queryable): Promise<void> {
  await db.query(`SELECT pg_advisory_xact_lock(hashtextextended('certificates:revocations', 0))`);
}

/**
 * Held to the end of the transaction by everybody who issues, many at once: whoever revokes all that an entity has
 * sees every certificate written before, and whoever writes afterwards sees the revocation.
 */
export async function shareRevocations(db: Queryable): Promise<void> {
  await db.query(
    `SELECT pg_advisory_xact_lock_shared(hashtextextended('certificates:revocations', 0))`,
  );
}

export type RevokedRow = Pick<
  CertificateRow,
  'serial' | 'tenant_id' | 'entity_type' | 'entity_id' | 'issuer_id' | 'shard' | 'not_after'
> & { revoked_at: Date; revocation_reason: number; revocation_seq: string };

export interface MarkRevoked {
  serial: string;
  tenant: string;
  reason: number;
}

const revokedColumns = `c.serial, c.tenant_id, c.entity_type, c.entity_id, c.issuer_id, c.shard,
  c.not_after, c.revoked_at, c.revocation_reason, c.revocation_seq`;

/** Marks certificates, each named once; keyCompromise replaces a weaker reason. Returns those that changed. */
export function markRevoked(
  db: Queryable,
  marks: readonly MarkRevoked[],
  now: Date,
): Promise<RevokedRow[]> {
  return db.query<RevokedRow>(
    `UPDATE certificates c SET status = 'revoked', revoked_at = coalesce(c.revoked_at, $4),
       revocation_reason = mark.reason, revocation_seq = nextval('revocation_sequence'),
       row_version = c.row_version + 1
     FROM unnest($1::numeric[], $2::text[], $3::smallint[]) AS mark (serial, tenant, reason)
     WHERE c.serial = mark.serial AND c.tenant_id = mark.tenant
       AND (c.status = 'valid' OR (mark.reason = 1 AND c.revocation_reason <> 1))
     RETURNING ${revokedColumns}`,
    [
      marks.map((mark) => mark.serial),
      marks.map((mark) => mark.tenant),
      marks.map((mark) => mark.reason),
      now,
    ],
  );
}

/** Whose certificates; of every type when it is left out. */
export interface EntityName {
  tenant: string;
  entityId: string;
  entityType?: string;
}

const ofEntity = `c.tenant_id = $1 AND c.entity_id = $2 AND ($3::text IS NULL OR c.entity_type = $3)`;

/** Marks every certificate of an entity that is neither revoked nor ended. Returns them. */
export function markEntityRevoked(
  db: Queryable,
  { tenant, entityId, entityType }: EntityName,
  reason: number,
  now: Date,
): Promise<RevokedRow[]> {
  return db.query<RevokedRow>(
    `UPDATE certificates c SET status = 'revoked', revoked_at = $4, revocation_reason = $5,
       revocation_seq = nextval('revocation_sequence'), row_version = c.row_version + 1
     WHERE ${ofEntity} AND c.status = 'valid' AND c.not_after > $4
     RETURNING ${revokedColumns}`,
    [tenant, entityId, entityType ?? null, now, reason],
  );
}

/** CRL entries in DER by serial, as hex. */
export type MadeEntries = ReadonlyMap<string, string>;

/** Keeps the CRL entries of revoked certificates, in DER, for whichever CRL is asked for next. */
export async function keepCrlEntries(
  db: Queryable,
  rows: readonly RevokedRow[],
  made: MadeEntries,
): Promise<void> {
  if (rows.length === 0) return;
  const entries = rows.map((row) => ({
    issuer_id: row.issuer_id,
    shard: row.shard,
    serial: row.serial,
    entry: `\\x${made.get(row.serial) ?? entryOf(row)}`,
    revoked_at: row.revoked_at,
    change_seq: row.revocation_seq,
    expires_at: row.not_after,
  }));
  await db.query(
    `INSERT INTO crl_entries
       (issuer_id, shard, serial, entry, revoked_at, change_seq, expires_at)
     SELECT issuer_id, shard, serial, entry, revoked_at, change_seq, expires_at
     FROM json_populate_recordset(NULL::crl_entries, $1::json)
     ON CONFLICT (issuer_id, serial)
       DO UPDATE SET entry = excluded.entry, change_seq = excluded.change_seq`,
    [JSON.stringify(entries)],
  );
}

type Entry = Pick<RevokedRow, 'serial' | 'revoked_at' | 'revocation_reason'>;

export function entryOf({ serial, revoked_at, revocation_reason }: Entry): string {
  const entry = { serial: BigInt(serial), revokedAt: revoked_at, reason: revocation_reason };
  return crlEntry(entry).toString('hex');
}

/** The name of a certificate as its tenant may say it: the same serial from another tenant is unknown. */
export const markKey = (serial: string, tenant: string): string => `${serial} ${tenant}`;

/** Keys of the marks whose serial exists in their tenant. */
export async function knownMarks(
  db: Queryable,
  marks: readonly MarkRevoked[],
): Promise<Set<string>> {
  const rows = await db.query<Pick<CertificateRow, 'serial' | 'tenant_id'>>(
    `SELECT c.serial, c.tenant_id FROM certificates c
     JOIN unnest($1::numeric[], $2::text[]) AS mark (serial, tenant)
       ON c.serial = mark.serial AND c.tenant_id = mark.tenant`,
    [marks.map((mark) => mark.serial), marks.map((mark) => mark.tenant)],
  );
  return new Set(rows.map((row) => markKey(row.serial, row.tenant_id)));
}

/** Certificates of an entity that are neither revoked nor ended, and whether it ever had any. */
export async function liveSerialsOf(
  db: Queryable,
  { tenant, entityId, entityType }: EntityName,
  now: Date,
): Promise<{ serials: string[]; known: boolean }> {
  const rows = await db.query<{ serial: string; live: boolean }>(
    `SELECT serial, status = 'valid' AND not_after > $4 AS live FROM certificates c
     WHERE ${ofEntity}`,
    [tenant, entityId, entityType ?? null, now],
  );
  return {
    serials: rows.filter((row) => row.live).map((row) => row.serial),
    known: rows.length > 0,
  };
}

/** A revocation of a certificate, or of an issuer: then without serial and entity. */
export interface SequencedRevocation {
  serial: string | null;
  entity_id: string | null;
  issuer_id: string;
  revoked_at: Date;
  revocation_reason: number;
  revocation_seq: string;
}

/** Revocations of certificates and of issuers after a sequence number, oldest first. */
export function revocationsAfter(
  db: Queryable,
  after: number,
  limit: number,
): Promise<SequencedRevocation[]> {
  return db.query<SequencedRevocation>(
    `(SELECT serial, entity_id, issuer_id, revoked_at, revocation_reason, revocation_seq
      FROM certificates WHERE revocation_seq > $1 ORDER BY revocation_seq LIMIT $2)
     UNION ALL
     (SELECT NULL, NULL, id, revoked_at, revocation_reason, revocation_seq
      FROM issuers WHERE revocation_seq > $1 ORDER BY revocation_seq LIMIT $2)
     ORDER BY revocation_seq LIMIT $2`,
    [after, limit],
  );
}
