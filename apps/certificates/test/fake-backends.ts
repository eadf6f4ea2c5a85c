import type {
  BackendsRpc,
  CheckNamesReply,
  CheckNamesRequest,
  NameHolder,
} from '@glacis/contracts';
import { newId } from '@glacis/runtime';

interface Registered {
  id: string;
  tenant: string;
  address: string;
  entityType: 'backend' | 'cvm';
}

const unused = (): never => {
  throw new Error('certificates never asks this');
};

/** Backends in memory, oldest first, answering CheckNames by the rules of `backends.md` 11. */
export class FakeBackends implements BackendsRpc {
  private readonly registered: Registered[] = [];
  /** While set, no answer comes. */
  away = false;
  /** Runs between the decision and the answer. */
  beforeAnswer: () => Promise<unknown> = async () => undefined;

  register(tenant: string, address = '', entityType: 'backend' | 'cvm' = 'backend'): string {
    const id = newId();
    this.registered.push({ id, tenant, address, entityType });
    return id;
  }

  async checkNames(request: CheckNamesRequest): Promise<CheckNamesReply> {
    if (this.away) throw new Error('away');
    const reply = this.decide(request);
    await this.beforeAnswer();
    return reply;
  }

  private decide(request: CheckNamesRequest): CheckNamesReply {
    const backend = this.registered.find(
      (each) =>
        each.id === request.backendId &&
        each.tenant === request.tenant &&
        each.entityType === request.entityType,
    );
    if (backend === undefined) return { exists: false, addressIsOurs: false, holders: [] };
    const oldest = this.registered.find((each) => each.address === backend.address);
    return {
      exists: true,
      addressIsOurs: oldest?.tenant === request.tenant,
      holders: request.names.map((name) => this.holder(backend, name)),
    };
  }

  private holder(backend: Registered, name: string): NameHolder {
    if (backend.address === name) return 1;
    const oldest = this.registered.find((each) => each.address === name);
    if (oldest === undefined) return 0;
    return oldest.tenant === backend.tenant ? 2 : 3;
  }

  get = unused;
  run = unused;
  stop = unused;
  terminate = unused;
  watch = unused;
}
