import {
  VmRefusal,
  vmRefusals,
  type AttestationPolicyRes,
  type CreateReq,
  type CreateRes,
  type CVMInfoRes,
  type VmManager,
} from '@glacis/grpc';
import { parseDurationMs } from '@glacis/settings';
import type { Requests } from '../requests.js';
import type { VmDriver } from '../vms/vm-driver.js';
import { guestSharesOf } from './guest-shares.js';
import type { Vms } from './vms.js';

export interface VmServiceOptions {
  vms: Vms;
  driver: VmDriver;
  /** Version of the guest system, told on request. */
  eosVersion: string;
  requests: Requests;
}

/** `manager.ManagerService` of generations B and C, for clients of every version (`backends.md` 8). */
export class VmService implements VmManager {
  constructor(private readonly options: VmServiceOptions) {}

  async createVm(request: CreateReq): Promise<CreateRes> {
    const ttlMs = ttlOf(request.ttl);
    const sharesOf = (id: string): ReturnType<typeof guestSharesOf> => guestSharesOf(request, id);
    const create = (): Promise<{ id: string; port: string }> =>
      this.options.vms.create(sharesOf, ttlMs);
    const { id, port } = await this.options.requests.handle('CreateVm', '', create);
    return { forwardedPort: port, cvmId: id };
  }

  async removeVm({ cvmId }: { cvmId: string }): Promise<Record<string, never>> {
    const { vms, requests } = this.options;
    await requests.handle('RemoveVm', cvmId, () => vms.remove(cvmId));
    return {};
  }

  cvmInfo({ id }: { id: string }): Promise<CVMInfoRes> {
    const { vms, driver, eosVersion, requests } = this.options;
    return requests.handle('CVMInfo', id, () => {
      if (!vms.has(id)) throw new VmRefusal(vmRefusals.notFound);
      return Promise.resolve({ id, eosVersion, ...driver.guest() });
    });
  }

  svmInfo(request: { id: string }): Promise<CVMInfoRes> {
    return this.cvmInfo(request);
  }

  attestationPolicy({ id }: { id: string }): Promise<AttestationPolicyRes> {
    const { vms, driver, requests } = this.options;
    return requests.handle('AttestationPolicy', id, async () => {
      if (!vms.has(id)) throw new VmRefusal(vmRefusals.unknownComputation(id));
      return { id, info: await driver.information() };
    });
  }
}

/** Undefined without one: clients before v0.5.2 have none. @throws {VmRefusal} */
function ttlOf(text: string): number | undefined {
  if (text === '') return undefined;
  const ttlMs = parseDurationMs(text);
  if (ttlMs === undefined) throw new VmRefusal(`time: invalid duration ${JSON.stringify(text)}`);
  return ttlMs;
}
