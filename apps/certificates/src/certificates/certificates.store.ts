import { pageOf, type Page, type Queryable } from '@glacis/store';
import type { CertificateRow, CertificateStatus } from './certificate.entity.js';

/** A new row: binary columns as `\x` text, so that one JSON document carries a whole batch. */
export type NewCertificate = {
  [K in keyof CertificateRow]: Buffer extends CertificateRow[K] ? string : CertificateRow[K];
};

const columns: readonly (keyof CertificateRow)[] = [
  'serial',
  'tenant_id',
  'entity_type',
  'entity_id',
  'profile',
  'issuer_id',
  'shard',
  'der',
  'chain_ids',
  'names',
  'spki_sha256',
  'fingerprint_sha256',
  'not_before',
  'not_after',
  'issued_at',
  'ttl_seconds',
  'key_algorithm',
  'key_id',
  'status',
  'renewed_from',
  'file_sha256',
  'file_sha512',
  'leaf_sha256',
  'leaf_sha512',
  'row_version',
];
const written = columns.join(', ');

/**
 * Writes certificates with one statement. Rows whose serial is taken, and rows of entities that are gone, of issuers
 * that are revoked and of keys that were stolen, are left out of the serials returned.
 */
export async function insertCertificates(
  db: Queryable,
  rows: readonly NewCertificate[],
): Promise<Set<string>> {
  const inserted = await db.query<{ serial: string }>(
    `INSERT INTO certificates (${written})
     SELECT ${written} FROM json_populate_recordset(NULL::certificates, $1::json) AS made
     WHERE NOT EXISTS (SELECT FROM ended_entities e WHERE e.entity_id = made.entity_id
       AND e.entity_type = made.entity_type AND e.tenant_id = made.tenant_id)
       AND NOT EXISTS (SELECT FROM issuers i WHERE i.id = made.issuer_id AND i.revoked_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM compromised_keys k WHERE k.spki_sha256 = made.spki_sha256)
     ON CONFLICT (serial) DO NOTHING RETURNING serial`,
    [JSON.stringify(rows)],
  );
  return new Set(inserted.map((row) => row.serial));
}

/** Which of the serials stand in the table. */
export async function takenSerials(
  db: Queryable,
  serials: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ serial: string }>(
    `SELECT serial FROM certificates WHERE serial = ANY($1::numeric[])`,
    [serials],
  );
  return new Set(rows.map((row) => row.serial));
}

/** A leaf is revoked with its issuer at once, though its row is marked later. Replaces the row's own columns. */
const toldStatus = `CASE WHEN i.revoked_at IS NULL THEN c.status ELSE 'revoked' END`;
const told = `${toldStatus} AS status, coalesce(c.revoked_at, i.revoked_at) AS revoked_at,
  coalesce(c.revocation_reason, i.revocation_reason) AS revocation_reason`;

export async function findCertificate(
  db: Queryable,
  serial: string,
): Promise<CertificateRow | undefined> {
  const [row] = await db.query<CertificateRow>(
    `SELECT c.*, ${told} FROM certificates c JOIN issuers i ON i.id = c.issuer_id WHERE serial = $1`,
    [serial],
  );
  return row;
}

/** The tenants in which an entity of this id has or had certificates. */
export async function tenantsOfEntity(db: Queryable, entityId: string): Promise<string[]> {
  const rows = await db.query<{ tenant_id: string }>(
    'SELECT DISTINCT tenant_id FROM certificates WHERE entity_id = $1',
    [entityId],
  );
  return rows.map((row) => row.tenant_id);
}

export interface CertificateFilter {
  tenant: string;
  entityId?: string;
  entityType?: string;
  status?: CertificateStatus;
}

export type ListedCertificate = Pick<
  CertificateRow,
  'serial' | 'entity_id' | 'status' | 'not_after' | 'revoked_at'
>;

const matches = `certificates c JOIN issuers i ON i.id = c.issuer_id
  WHERE tenant_id = $1 AND ($2::text IS NULL OR entity_id = $2)
  AND ($3::text IS NULL OR entity_type = $3)
  AND ($4::text IS NULL OR $4 = CASE WHEN ${toldStatus} = 'revoked' THEN 'revoked'
    WHEN c.not_after > $5 THEN 'valid' ELSE 'expired' END)`;

/** One page, newest first, and how many the filter matches in all. */
export function listCertificates(
  db: Queryable,
  filter: CertificateFilter,
  page: { now: Date; offset: number; limit: number },
): Promise<Page<ListedCertificate>> {
  const params = [
    filter.tenant,
    filter.entityId ?? null,
    filter.entityType ?? null,
    filter.status ?? null,
    page.now,
  ];
  const select = `serial, entity_id, c.not_after, ${told}`;
  const list = { select, from: matches, orderBy: 'issued_at DESC, serial' };
  return pageOf(db, list, params, page);
}

/** Whether the key of a certificate is still stored. */
export async function hasKey(db: Queryable, keyId: string | null, now: Date): Promise<boolean> {
  if (keyId === null) return false;
  const rows = await db.query(
    `SELECT 1 FROM private_keys WHERE id = $1 AND erased_at IS NULL
       AND (erase_at IS NULL OR erase_at > $2)`,
    [keyId, now],
  );
  return rows.length > 0;
}

/** Names the successor in the renewed row, unless the old one was revoked or ended meanwhile. */
export async function linkSuccessor(
  db: Queryable,
  link: { serial: string; successor: string; now: Date },
): Promise<boolean> {
  const rows = await db.query(
    `UPDATE certificates SET renewed_to = $2
     WHERE serial = $1 AND status = 'valid' AND not_after > $3 RETURNING serial`,
    [link.serial, link.successor, link.now],
  );
  return rows.length > 0;
}
