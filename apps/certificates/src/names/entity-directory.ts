import type { CheckNamesReply } from '@glacis/contracts';
import { RpcError, status, type RpcDirectory } from '@glacis/grpc';
import { problems } from '@glacis/http';
import { caUnavailable } from '../problems.js';

/** What tenants may ask certificates for. */
export type TenantEntityType = 'backend' | 'cvm' | 'party';

/** The services that keep entities, as callers of ours. */
const keepers = { vm: 'service:backends', party: 'service:jobs' } as const;

/** @throws {RpcError} PERMISSION_DENIED when another service asks for what gives an entity its identity */
export function assertKeeper(requestedBy: string, what: keyof typeof keepers = 'vm'): void {
  if (requestedBy === keepers[what]) return;
  const text = 'an entity is the business of the service that keeps it';
  throw new RpcError(status.PERMISSION_DENIED, 'forbidden', text);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True of the id of a backend or VM. */
export function isEntityId(text: string): boolean {
  return uuid.test(text);
}

export interface EntityQuestion {
  tenant: string;
  entityType: TenantEntityType;
  entityId: string;
  /** In canonical form. */
  names: string[];
}

/** Asks the service that keeps an entity whether it exists, and to whom names belong. */
export class EntityDirectory {
  private readonly backends;

  constructor(directory: RpcDirectory) {
    this.backends = directory.client('backends');
  }

  /** @throws Problem `not-found` for an entity unknown in the tenant, and for every party; `ca-unavailable` without an answer */
  async ask(question: EntityQuestion): Promise<CheckNamesReply> {
    const { tenant, entityType, entityId, names } = question;
    // A party's key is made in its agent, and `jobs` passes the request on: who is only told of a party cannot become it.
    if (entityType === 'party' || !isEntityId(entityId)) throw problems.notFound();
    const reply = await this.backends
      .checkNames({ tenant, backendId: entityId, entityType, names })
      .catch(failed);
    if (!reply.exists) throw problems.notFound();
    return reply;
  }
}

function failed(cause: unknown): never {
  if (cause instanceof RpcError && cause.code === status.NOT_FOUND) throw problems.notFound();
  throw caUnavailable('the backends service, which knows the entity, does not answer', { cause });
}
