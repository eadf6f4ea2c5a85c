import type { CheckNamesReply, CheckNamesRequest, NameHolder } from '@glacis/contracts';
import type { Queryable } from '@glacis/store';
import { canonicalHost } from './address.js';
import { isBackendId } from './backend-reader.js';

interface Registration {
  host: string;
  id: string;
  tenant: string;
}

/** To whom names belong, as `certificates.md` 2.5 asks: the oldest registration of an address counts. */
export async function checkNames(
  db: Queryable,
  request: CheckNamesRequest,
): Promise<CheckNamesReply> {
  const own = await ownHost(db, request);
  const hosts = request.names.map(canonicalHost);
  const oldest = await oldestRegistrations(db, [...hosts, own ?? null]);
  const first = own ? oldest.get(own) : undefined;
  return {
    exists: own !== undefined,
    addressIsOurs: own !== undefined && (first === undefined || first.tenant === request.tenant),
    holders: hosts.map((host) => holderOf(request, host, { own, oldest })),
  };
}

function holderOf(
  request: CheckNamesRequest,
  host: string | null,
  known: { own: string | undefined; oldest: Map<string, Registration> },
): NameHolder {
  if (host === null) return 0;
  if (host === known.own) return 1;
  const holder = known.oldest.get(host);
  if (holder === undefined) return 0;
  return holder.tenant === request.tenant ? 2 : 3;
}

/** `''` for a backend without an address, undefined when there is no such backend in the tenant. */
async function ownHost(
  db: Queryable,
  { backendId, tenant }: CheckNamesRequest,
): Promise<string | undefined> {
  if (!isBackendId(backendId)) return undefined;
  const [row] = await db.query<{ host: string | null }>(
    `SELECT address_host AS host FROM backends
     WHERE id = $1 AND tenant_id = $2 AND deleting_at IS NULL`,
    [backendId, tenant],
  );
  return row && (row.host ?? '');
}

async function oldestRegistrations(
  db: Queryable,
  hosts: readonly (string | null)[],
): Promise<Map<string, Registration>> {
  const rows = await db.query<Registration>(
    `SELECT DISTINCT ON (address_host) address_host AS host, id, tenant_id AS tenant FROM backends
     WHERE address_host = ANY($1::text[]) AND deleting_at IS NULL
     ORDER BY address_host, address_since, id`,
    [hosts.filter((host) => host !== null && host !== '')],
  );
  return new Map(rows.map((row) => [row.host, row]));
}
