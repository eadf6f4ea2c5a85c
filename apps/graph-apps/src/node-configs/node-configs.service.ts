import { checkIfMatch, etagOf, type Caller } from '@glacis/http';
import type { AuditEntry } from '@glacis/identity';
import { CLOCK, newId, systemClock, type Clock } from '@glacis/runtime';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { configsNotFound } from '../problems.js';
import { OutrunError } from '../store/apps-store.js';
import {
  NODE_CONFIGS_STORE,
  type NodeConfigEdit,
  type NodeConfigRange,
  type NodeConfigsStore,
} from '../store/node-configs-store.js';
import type { NodeConfig, NodeConfigInput } from './node-config.entity.js';

/** Which node config is to be changed, and the `If-Match` of the request. */
export interface NodeConfigTarget {
  id: string;
  ifMatch: string | undefined;
}

const maxAttempts = 20;

/** Templates of the editor: each belongs to a tenant, titles need not be unique. */
@Injectable()
export class NodeConfigsService {
  constructor(
    @Inject(NODE_CONFIGS_STORE) private readonly store: NodeConfigsStore,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  async create(caller: Caller, input: NodeConfigInput): Promise<NodeConfig> {
    const id = newId(this.clock).replaceAll('-', '');
    const { tenant } = caller;
    const createdAt = this.clock.now();
    const after = { ...input, id, tenant, createdAt, modifiedAt: null, version: 1 };
    await this.store.commit({ after, audit: auditOf(caller, 'node-config.create', id) });
    return after;
  }

  list(
    { tenant }: Caller,
    range: NodeConfigRange,
  ): Promise<{ configs: NodeConfig[]; total: number }> {
    return this.store.list(tenant, range);
  }

  async get({ tenant }: Caller, id: string): Promise<NodeConfig> {
    const found = await this.store.find(tenant, id);
    if (found === undefined) throw configsNotFound(`no node config ${id}`);
    return found;
  }

  replace(caller: Caller, target: NodeConfigTarget, input: NodeConfigInput): Promise<NodeConfig> {
    return this.edit(caller, target, (before) => {
      const modifiedAt = this.clock.now();
      const after = { ...before, ...input, modifiedAt, version: before.version + 1 };
      const audit = auditOf(caller, 'node-config.replace', target.id);
      return { edit: { before, after, audit }, result: after };
    });
  }

  delete(caller: Caller, target: NodeConfigTarget): Promise<void> {
    return this.edit(caller, target, (before) => {
      const audit = auditOf(caller, 'node-config.delete', target.id);
      return { edit: { before, audit }, result: undefined };
    });
  }

  private async edit<T>(
    caller: Caller,
    { id, ifMatch }: NodeConfigTarget,
    decide: (before: NodeConfig) => { edit: NodeConfigEdit; result: T },
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const before = await this.get(caller, id);
      checkIfMatch(ifMatch, etagOf(before.version));
      const { edit, result } = decide(before);
      try {
        await this.store.commit(edit);
        return result;
      } catch (error) {
        if (!(error instanceof OutrunError) || attempt === maxAttempts) throw error;
      }
    }
  }
}

function auditOf(
  { principal, tenant, requestId }: Caller,
  action: string,
  subject: string,
): AuditEntry {
  return { actor: principal.subject, tenant, action, subject, requestId };
}
