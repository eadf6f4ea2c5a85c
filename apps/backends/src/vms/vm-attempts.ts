import type { AuditEntry } from '@glacis/identity';
import type { Caller } from '@glacis/http';
import { CLOCK, type Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { BackendsService } from '../backends/backends.service.js';
import { Journal } from '../journal.js';
import { kbsHostNotAllowed } from '../problems.js';
import type { BackendsSettings } from '../settings.js';
import { SETTINGS } from '../tokens.js';
import { areAllowedParams } from './kbs-params.js';
import { VmManagers } from './vm-managers.service.js';
import type { VmManagerRow } from './vm-managers.store.js';
import type { VmBody } from './vm.schema.js';
import { insertVm } from './vms.store.js';

/** A recorded attempt that is still to be made. */
export interface Attempt {
  id: string;
  manager: VmManagerRow;
  ttlMs: number | null;
  wish: VmBody;
}

/** Checks what is wished for and records it, before anything is sent. */
@Injectable()
export class VmAttempts {
  constructor(
    @Inject(VmManagers) private readonly managers: VmManagers,
    @Inject(BackendsService) private readonly backends: BackendsService,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: BackendsSettings,
  ) {}

  /** @throws {Problem} 404 no such host or no manager set, 422 the key broker is not allowed */
  async prepare(caller: Caller, hostId: string, wish: VmBody): Promise<Omit<Attempt, 'id'>> {
    const manager = await this.managers.get(caller.tenant, hostId);
    const hosts = this.settings.kbsHosts[caller.tenant] ?? [];
    if (!areAllowedParams(wish.aa_kbs_params, hosts)) {
      throw kbsHostNotAllowed('the host of the key broker is not on the list');
    }
    return { manager, wish, ttlMs: wish.ttl === undefined ? manager.ttlMs : wish.ttl };
  }

  /** Records the attempt; to be called within `namingConflicts`. */
  async record(tx: Tx, caller: Caller, prepared: Omit<Attempt, 'id'>): Promise<Attempt> {
    const { wish, manager, ttlMs } = prepared;
    const { name, description } = wish;
    const hostId = manager.backendId;
    const input = { name, description, address: '', entityType: 'cvm', host: hostId } as const;
    const id = await this.backends.register(tx, caller, input);
    const attemptedAt = this.clock.now();
    // Its time begins when the manager has the call, which is within the deadline of that.
    const latest = attemptedAt.getTime() + this.settings.vmTimeout + (ttlMs ?? 0);
    const expiresAt = ttlMs === null ? null : new Date(latest);
    await insertVm(tx, { id, hostId, tenant: caller.tenant, attemptedAt, expiresAt });
    await this.journal.write(tx, { audit: [vmAudit(caller, id, ['vm.create', 'attempted'])] });
    return { id, ...prepared };
  }
}

/** @param done action and result */
export function vmAudit(
  { tenant, principal, requestId }: Caller,
  subject: string,
  [action, result]: [action: string, result: string],
): AuditEntry {
  return { actor: principal.subject, tenant, action, subject, requestId, detail: { result } };
}
