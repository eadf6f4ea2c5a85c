import {
  VmManagerError,
  type AttestationPolicyRes,
  type CreateRes,
  type CVMInfoRes,
  type VmManagerClient,
} from '@glacis/grpc';
import { problems, type Answer, type Caller } from '@glacis/http';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { BackendDeletion } from '../backends/backend-deletion.js';
import { isBackendId } from '../backends/backend-reader.js';
import { Journal } from '../journal.js';
import { vmLimit, vmRefused, vmUncertain } from '../problems.js';
import { vmAudit, type Attempt } from './vm-attempts.js';
import { VmManagers } from './vm-managers.service.js';
import type { VmManagerRow } from './vm-managers.store.js';
import { VmRequests } from './vm-requests.js';
import { listVms, markRunning, markUncertain, vmOf, type Vm } from './vms.store.js';

/** What became of an attempt: an answer, or the problem for which nothing is left of it. */
export type Outcome = { answer: Answer } | { problem: unknown };

/**
 * VMs that managers of generations B and C make for us (`backends.md` 8). An attempt is recorded before anything is
 * sent, and nothing is ever sent again: a manager has no list of its VMs, so a repetition could make a second one. What
 * stays uncertain ends with its time.
 */
@Injectable()
export class VmsService {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(VmManagers) private readonly managers: VmManagers,
    @Inject(VmRequests) private readonly requests: VmRequests,
    @Inject(BackendDeletion) private readonly deletion: BackendDeletion,
  ) {}

  /** Makes a recorded attempt; when it has failed for certain, nothing is left of it. */
  async make(caller: Caller, attempt: Attempt): Promise<Outcome> {
    const { id, manager } = attempt;
    const headers = { location: `/backends/${manager.backendId}/vms/${id}` };
    const created = await this.create(caller.tenant, attempt).catch(failure);
    if ('cvmId' in created) {
      await markRunning(this.store, id, created);
      await this.note(caller, id, ['vm.create', 'running']);
      return { answer: { status: 201, headers } };
    }
    if (created.isUncertain) {
      await markUncertain(this.store, id);
      await this.note(caller, id, ['vm.create', 'uncertain']);
      return { answer: { status: 202, headers } };
    }
    await this.note(caller, id, ['vm.create', 'failed']);
    await this.deletion.delete(caller, id, undefined);
    return { problem: problemOf(created.error) };
  }

  list(hostId: string, page: { limit: number; offset: number }): ReturnType<typeof listVms> {
    return listVms(this.store, hostId, page);
  }

  /** @throws {Problem} 404 */
  async get(hostId: string, id: string): Promise<Vm> {
    const vm = isBackendId(id) ? await vmOf(this.store, hostId, id) : undefined;
    if (vm === undefined) throw problems.notFound('no such VM');
    return vm;
  }

  /** @throws {Problem} 404 also when the manager does not know it, 409 it may not be there yet, 503 */
  async remove(caller: Caller, hostId: string, id: string): Promise<void> {
    const [manager, vm] = await this.known(caller, hostId, id);
    let unknown: unknown;
    try {
      await this.managers.call(manager, (client) => client.removeVm(cvmIdOf(vm)));
    } catch (error) {
      if (!(error instanceof VmManagerError) || error.failure !== 'not-found') {
        throw problemOf(error);
      }
      unknown = error;
    }
    await this.note(caller, id, ['vm.remove', unknown ? 'not-found' : 'removed']);
    await this.deletion.delete(caller, id, undefined);
    if (unknown !== undefined) throw problemOf(unknown);
  }

  /** @throws {Problem} 404, 409, 503 */
  information(caller: Caller, hostId: string, id: string): Promise<CVMInfoRes> {
    return this.ask(caller, hostId, id, (client, cvmId) => client.information(cvmId));
  }

  /** @throws {Problem} 404, 409, 503 */
  policy(caller: Caller, hostId: string, id: string): Promise<AttestationPolicyRes> {
    return this.ask(caller, hostId, id, (client, cvmId) => client.attestationPolicy(cvmId));
  }

  private async ask<T>(
    caller: Caller,
    hostId: string,
    id: string,
    question: (client: VmManagerClient, cvmId: string) => Promise<T>,
  ): Promise<T> {
    const [manager, vm] = await this.known(caller, hostId, id);
    const cvmId = cvmIdOf(vm);
    return this.managers
      .call(manager, (client) => question(client, cvmId))
      .catch((error) => {
        throw problemOf(error);
      });
  }

  private async known(caller: Caller, hostId: string, id: string): Promise<[VmManagerRow, Vm]> {
    return [await this.managers.get(caller.tenant, hostId), await this.get(hostId, id)];
  }

  private async create(tenant: string, attempt: Attempt): Promise<CreateRes> {
    const request = await this.requests.requestOf(tenant, attempt);
    return this.managers.call(attempt.manager, (client) => client.createVm(request));
  }

  private note(
    caller: Caller,
    subject: string,
    done: [action: string, result: string],
  ): Promise<void> {
    return this.journal.note({ audit: [vmAudit(caller, subject, done)] });
  }
}

interface Failure {
  error: unknown;
  /** There may be a VM nevertheless. */
  isUncertain: boolean;
}

function failure(error: unknown): Failure {
  const isUncertain = error instanceof VmManagerError && error.failure === 'uncertain';
  return { error, isUncertain };
}

/** @throws {Problem} 409 when its manager has never answered */
function cvmIdOf({ cvmId }: Vm): string {
  if (cvmId !== null) return cvmId;
  throw vmUncertain('its manager has not told what it calls this VM');
}

/** What a failed call becomes over REST; anything else as it is. */
function problemOf(error: unknown): unknown {
  if (!(error instanceof VmManagerError)) return error;
  const { message } = error;
  switch (error.failure) {
    case 'not-found':
      return problems.notFound(message);
    case 'too-many':
      return vmLimit(message);
    case 'refused':
      return vmRefused(message);
    default:
      return problems.unavailable('the manager does not answer', { cause: error });
  }
}
