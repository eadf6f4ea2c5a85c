import type { CheckNamesReply, CheckNamesRequest, NameHolder } from '@glacis/contracts';
import type { Queryable } from '@glacis/store';
import { canonicalHost } from '@glacis/pki';
import { isBackendId } from './backend-reader.js';

interface Registration {
  host: string;
  id: string;
  tenant: string;
}

/**
 * To whom names belong, as `certificates.md` 2.5 asks: the oldest registration of an address counts. Any number of
 * requests takes two statements.
 */
export async function checkNames(
  db: Queryable,
  requests: readonly CheckNamesRequest[],
): Promise<CheckNamesReply[]> {
  const owned = await ownHosts(db, requests);
  const hosts = requests.flatMap(({ names }) => names.map(canonicalHost));
  const oldest = await oldestRegistrations(db, [...hosts, ...owned.values()]);
  return requests.map((request) => replyTo(request, owned.get(ownerKey(request)), oldest));
}

function replyTo(
  request: CheckNamesRequest,
  own: string | undefined,
  oldest: Map<string, Registration>,
): CheckNamesReply {
  const first = own ? oldest.get(own) : undefined;
  return {
    exists: own !== undefined,
    addressIsOurs: own !== undefined && (first === undefined || first.tenant === request.tenant),
    holders: request.names.map((name) => holderOf(request, canonicalHost(name), { own, oldest })),
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

const ownerKey = ({ backendId, tenant, entityType }: Omit<CheckNamesRequest, 'names'>): string =>
  `${backendId} ${tenant} ${entityType}`;

/** The host of each backend that exists in its tenant; `''` for one without an address. */
async function ownHosts(
  db: Queryable,
  requests: readonly CheckNamesRequest[],
): Promise<Map<string, string>> {
  const ids = requests.map(({ backendId }) => backendId).filter(isBackendId);
  const rows = await db.query<Omit<CheckNamesRequest, 'names'> & { host: string | null }>(
    `SELECT id AS "backendId", tenant_id AS tenant, entity_type AS "entityType",
       address_host AS host
     FROM backends
     WHERE id = ANY($1::uuid[]) AND deleting_at IS NULL`,
    [ids],
  );
  return new Map(rows.map((row) => [ownerKey(row), row.host ?? '']));
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
