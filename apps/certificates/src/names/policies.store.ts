import type { Queryable } from '@glacis/store';

/** Who in a tenant may ask for serverAuth; platform administrators always may. */
export type ServerAuthRight = 'none' | 'admin' | 'member';

/** A row of `name_policies`. */
export interface PolicyRow {
  tenant_id: string;
  dns_suffixes: string[];
  cidrs: string[];
  server_auth: ServerAuthRight;
  row_version: number;
  updated_at: Date;
  updated_by: string;
}

export async function findPolicy(db: Queryable, tenant: string): Promise<PolicyRow | undefined> {
  const [row] = await db.query<PolicyRow>(`SELECT * FROM name_policies WHERE tenant_id = $1`, [
    tenant,
  ]);
  return row;
}

/** Policies that may cover one of the names. */
export function policiesOver(
  db: Queryable,
  names: { suffixes: string[]; addresses: string[] },
): Promise<PolicyRow[]> {
  return db.query<PolicyRow>(
    `SELECT * FROM name_policies WHERE dns_suffixes && $1 OR EXISTS (
       SELECT FROM unnest(cidrs::cidr[]) AS block, unnest($2::inet[]) AS address
       WHERE block >>= address)`,
    [names.suffixes, names.addresses],
  );
}

export function allOtherPolicies(db: Queryable, tenant: string): Promise<PolicyRow[]> {
  return db.query<PolicyRow>(`SELECT * FROM name_policies WHERE tenant_id <> $1`, [tenant]);
}

export async function putPolicy(db: Queryable, row: PolicyRow): Promise<void> {
  await db.query(
    `INSERT INTO name_policies
       (tenant_id, dns_suffixes, cidrs, server_auth, row_version, updated_at, updated_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (tenant_id) DO UPDATE SET dns_suffixes = $2, cidrs = $3, server_auth = $4,
       row_version = $5, updated_at = $6, updated_by = $7`,
    [
      row.tenant_id,
      row.dns_suffixes,
      row.cidrs,
      row.server_auth,
      row.row_version,
      row.updated_at,
      row.updated_by,
    ],
  );
}

/** Names of live certificates of our own services; of those asked only, when `among` is given. */
export async function serviceNames(
  db: Queryable,
  now: Date,
  among: string[] | null,
): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    `SELECT DISTINCT name FROM certificates, unnest(names) AS name
     WHERE entity_type = 'service' AND status = 'valid' AND not_after > $1
       AND ($2::text[] IS NULL OR name = ANY($2))`,
    [now, among],
  );
  return rows.map((row) => row.name);
}
