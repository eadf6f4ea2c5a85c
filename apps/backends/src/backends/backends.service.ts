import type { EventType } from '@glacis/contracts';
import { etagOf, checkIfMatch, problems, type Answer, type Caller } from '@glacis/http';
import { CLOCK, newId, type Clock } from '@glacis/runtime';
import { conflictOf, Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { Journal } from '../journal.js';
import { backendExists } from '../problems.js';
import { unknownBackend, isBackendId } from './backend-reader.js';
import { isProtocolOf, type Backend, type BackendInput, type NewBackendInput } from './backend.js';
import { holdHost, insertBackend, lockBackend, pinOf, updateBackend } from './backends.store.js';

/** Creates and changes backends. */
@Injectable()
export class BackendsService {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async create(tx: Tx, caller: Caller, input: NewBackendInput): Promise<Answer> {
    const id = await this.register(tx, caller, input);
    return { status: 201, headers: { location: `/backends/${id}` } };
  }

  /**
   * Gives the id of a new backend; to be called within `namingConflicts`.
   * @throws {Problem} 404 unknown host
   */
  async register(tx: Tx, caller: Caller, input: NewBackendInput): Promise<string> {
    const id = newId(this.clock);
    const { tenant, principal } = caller;
    if (input.host !== undefined && !(await holdHost(tx, tenant, input.host))) {
      throw problems.notFound('no such host');
    }
    await insertBackend(tx, {
      ...input,
      id,
      tenant,
      createdBy: principal.subject,
      at: this.clock.now(),
    });
    await this.tell(tx, caller, { type: 'backend.created', id, after: input, changed: [] });
    return id;
  }

  /** @throws {Problem} 404 unknown, 400 a protocol that such backends do not speak, 412 changed since `ifMatch` was read, 409 name or address taken */
  async replace(
    caller: Caller,
    id: string,
    change: { input: BackendInput; ifMatch?: string },
  ): Promise<void> {
    const { input, ifMatch } = change;
    await namingConflicts(input, () =>
      this.store.transaction(async (tx) => {
        const before = isBackendId(id) ? await lockBackend(tx, caller.tenant, id) : undefined;
        if (!before) throw unknownBackend();
        checkProtocol(before, input);
        checkIfMatch(ifMatch, etagOf(before.rowVersion));
        const changed = changesOf(before, input);
        if (changed.length === 0) return;
        await updateBackend(tx, id, input, this.clock.now());
        await this.tell(tx, caller, { type: 'backend.updated', id, before, after: input, changed });
      }),
    );
  }

  private async tell(tx: Tx, caller: Caller, change: Change): Promise<void> {
    const { id, before, after, changed } = change;
    await this.journal.write(tx, {
      events: [
        {
          type: change.type,
          subject: id,
          tenant: caller.tenant,
          data: { backend_id: id, name: after.name, address: after.address, changed },
          traceparent: caller.traceparent,
        },
      ],
      audit: [
        {
          actor: caller.principal.subject,
          tenant: caller.tenant,
          action: change.type,
          subject: id,
          requestId: caller.requestId,
          before: before && settable(before),
          after,
        },
      ],
    });
  }
}

interface Change {
  type: Extract<EventType, 'backend.created' | 'backend.updated'>;
  id: string;
  before?: Backend;
  after: BackendInput;
  changed: string[];
}

/** Turns a violated constraint into the 409 that names what is taken. */
export async function namingConflicts<T>(input: BackendInput, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    switch (conflictOf(error)) {
      case 'backends_name_key':
        throw backendExists(`a backend named '${input.name}' exists`, {
          error: 'name already taken',
        });
      case 'backends_address_key':
        throw backendExists(`a backend with address '${input.address}' exists`, {
          error: 'address already taken',
        });
      default:
        throw error;
    }
  }
}

function checkProtocol({ entityType }: Backend, { protocol }: BackendInput): void {
  if (isProtocolOf(entityType, protocol)) return;
  throw problems.malformed('protocol: expected a protocol of the entity type', {
    members: { field: 'protocol' },
  });
}

function settable(backend: Backend): BackendInput {
  const { name, description, address, pin } = backend;
  return { name, description, address, protocol: pin ?? 'auto' };
}

function changesOf(before: Backend, input: BackendInput): string[] {
  const pin = pinOf(input.protocol);
  const members: (keyof BackendInput)[] = ['name', 'description', 'address'];
  const changed: string[] = members.filter((member) => before[member as 'name'] !== input[member]);
  return pin === undefined || pin === before.pin ? changed : [...changed, 'protocol'];
}
