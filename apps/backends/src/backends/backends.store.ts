import { pageOf, type Queryable, type Tx } from '@glacis/store';
import { canonicalAddress } from '@glacis/pki';
import type { Backend, BackendInput, NewBackendInput } from './backend.js';
import type { BackendListQuery } from './backend.schema.js';

const columns = `b.id, b.tenant_id AS tenant, b.entity_type AS "entityType", b.host_id AS host, b.name, b.description, b.address, b.protocol_pin AS pin,
  b.protocol_seen AS seen, b.manager_version AS version, b.last_seen AS "lastSeen",
  b.last_serial AS "lastSerial", b.row_version AS "rowVersion",
  s.lease_until IS NOT NULL AND s.lease_until > now() AS active`;
const tables = `backends b LEFT JOIN backend_streams s
  ON s.backend_id = b.id AND s.connection = 'main'`;

/** The backends of these ids, whatever their tenants, but for those being deleted. */
export function backendsById(db: Queryable, ids: readonly string[]): Promise<Backend[]> {
  return db.query<Backend>(
    `SELECT ${columns} FROM ${tables} WHERE b.id = ANY($1) AND b.deleting_at IS NULL`,
    [ids],
  );
}

/** Orders that the indexes serve in both directions. Whoever was never seen counts as seen before all others. */
const orders = {
  created_at: { asc: 'b.created_at, b.id', desc: 'b.created_at DESC, b.id DESC' },
  name: { asc: 'b.name', desc: 'b.name DESC' },
  last_seen: {
    asc: 'b.last_seen ASC NULLS FIRST, b.id',
    desc: 'b.last_seen DESC NULLS LAST, b.id DESC',
  },
};

export async function listBackends(
  db: Queryable,
  tenant: string,
  query: BackendListQuery,
): Promise<{ total: number; backends: Backend[] }> {
  const where = `b.tenant_id = $1 AND b.entity_type = $4 AND b.deleting_at IS NULL
    AND ($5::uuid IS NULL OR b.host_id = $5)
    AND ($2::text IS NULL OR strpos(b.name, $2) > 0)
    AND ($3::boolean IS NULL OR $3 = (s.lease_until IS NOT NULL AND s.lease_until > now()))`;
  const params = [
    tenant,
    query.name ?? null,
    query.active ?? null,
    query.entity_type,
    query.host ?? null,
  ];
  const from = `${tables} WHERE ${where}`;
  const list = { select: columns, from, orderBy: orders[query.order][query.dir] };
  const { total, rows: backends } = await pageOf<Backend>(db, list, params, query);
  return { total, backends };
}

export interface NewBackend extends NewBackendInput {
  id: string;
  tenant: string;
  createdBy: string;
  at: Date;
}

/** True when the tenant has this host and it is not being deleted; it stays until the transaction ends. */
export async function holdHost(tx: Tx, tenant: string, id: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM backends WHERE id = $1 AND tenant_id = $2 AND entity_type = 'backend'
       AND deleting_at IS NULL FOR SHARE`,
    [id, tenant],
  );
  return rows.length > 0;
}

export async function insertBackend(tx: Tx, backend: NewBackend): Promise<void> {
  const canonical = canonicalAddress(backend.address);
  await tx.query(
    `INSERT INTO backends (id, tenant_id, name, description, address, address_key, address_host,
       address_since, protocol_pin, created_at, created_by, updated_at, entity_type, host_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $6::text IS NULL THEN NULL ELSE $9::timestamptz END,
       $8, $9, $10, $9, $11, $12)`,
    [
      backend.id,
      backend.tenant,
      backend.name,
      backend.description,
      backend.address,
      canonical?.key ?? null,
      canonical?.host ?? null,
      pinOf(backend.protocol) ?? null,
      backend.at,
      backend.createdBy,
      backend.entityType,
      backend.host ?? null,
    ],
  );
}

/** The backend of a tenant, locked until the transaction ends. */
export async function lockBackend(
  tx: Tx,
  tenant: string,
  id: string,
): Promise<Backend | undefined> {
  const [row] = await tx.query<Backend>(
    `SELECT ${columns} FROM ${tables}
     WHERE b.id = $1 AND b.tenant_id = $2 AND b.deleting_at IS NULL FOR UPDATE OF b`,
    [id, tenant],
  );
  return row;
}

/** Replaces what a caller may set. An address keeps its age while its host stays the same. */
export async function updateBackend(
  tx: Tx,
  id: string,
  input: BackendInput,
  at: Date,
): Promise<void> {
  const canonical = canonicalAddress(input.address);
  const pin = pinOf(input.protocol);
  await tx.query(
    `UPDATE backends SET name = $2, description = $3, address = $4, address_key = $5,
       address_since = CASE WHEN $6::text IS NULL THEN NULL
         WHEN address_host = $6 THEN address_since ELSE $7 END,
       address_host = $6, updated_at = $7, row_version = row_version + 1,
       protocol_pin = CASE WHEN $8 THEN $9 ELSE protocol_pin END
     WHERE id = $1`,
    [
      id,
      input.name,
      input.description,
      input.address,
      canonical?.key ?? null,
      canonical?.host ?? null,
      at,
      pin !== undefined,
      pin ?? null,
    ],
  );
}

/** The pin that a `protocol` asks for: null for `auto`, undefined when it stays as it is. */
export function pinOf(protocol: string | undefined): string | null | undefined {
  return protocol === 'auto' ? null : protocol;
}
