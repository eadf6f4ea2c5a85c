import { VmManagerClient } from '@glacis/grpc';
import { problems, type Caller } from '@glacis/http';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { BackendReader } from '../backends/backend-reader.js';
import { holdHost } from '../backends/backends.store.js';
import { Journal } from '../journal.js';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { ManagerKeys } from './manager-keys.js';
import { managerOf, removeManager, saveManager, type VmManagerRow } from './vm-managers.store.js';
import type { ManagerBody } from './vm.schema.js';

/** The managers that we call, as their tenants have set them. */
@Injectable()
export class VmManagers {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(BackendReader) private readonly backends: BackendReader,
    @Inject(ManagerKeys) private readonly keys: ManagerKeys,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
  ) {}

  /** @throws {Problem} 404 no such host, or its manager was never set */
  async get(tenant: string, hostId: string): Promise<VmManagerRow> {
    await this.backends.get(tenant, hostId);
    const manager = await managerOf(this.store, hostId);
    if (manager === undefined) throw problems.notFound('no manager is set for this backend');
    return manager;
  }

  /** @throws {Problem} 404 no such host, 503 there is no key to encrypt with */
  async set(caller: Caller, hostId: string, body: ManagerBody): Promise<void> {
    await this.backends.get(caller.tenant, hostId);
    const { address, ca, certificate, ttl: ttlMs, platforms } = body;
    const key = this.keys.seal(hostId, body.key);
    const row = { backendId: hostId, address, ca, certificate, key, ttlMs, platforms };
    await this.change(caller, hostId, { address, platforms }, async (tx) => {
      if (!(await holdHost(tx, caller.tenant, hostId))) throw problems.notFound('no such host');
      await saveManager(tx, { ...row, updatedAt: this.clock.now() });
    });
  }

  /** @throws {Problem} 404 */
  async remove(caller: Caller, hostId: string): Promise<void> {
    await this.backends.get(caller.tenant, hostId);
    await this.change(caller, hostId, {}, async (tx) => {
      if (!(await removeManager(tx, hostId))) throw problems.notFound('no manager is set');
    });
  }

  /** Calls a manager; the connection ends with the work. */
  async call<T>(row: VmManagerRow, work: (client: VmManagerClient) => Promise<T>): Promise<T> {
    const { address, ca, certificate: cert } = row;
    const key = this.keys.open(row.backendId, row.key);
    const { vmConnectTimeout: connectTimeoutMs, vmTimeout: deadlineMs } = this.settings;
    const limits = { connectTimeoutMs, deadlineMs };
    const client = new VmManagerClient({ address, tls: { ca, cert, key }, ...limits });
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }

  private change(
    caller: Caller,
    subject: string,
    detail: Record<string, unknown>,
    effect: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    const { tenant, principal, requestId } = caller;
    const action = 'backend.manager.change';
    return this.store.transaction(async (tx) => {
      await effect(tx);
      const entry = { actor: principal.subject, tenant, action, subject, requestId, detail };
      await this.journal.write(tx, { audit: [entry] });
    });
  }
}
