import {
  addVmManager,
  createGrpcServer,
  listenMutualTls,
  VmRefusal,
  vmRefusals,
  type AttestationPolicyRes,
  type CreateReq,
  type CreateRes,
  type CVMInfoRes,
  type MutualTlsListener,
  type VmManager,
} from '@glacis/grpc';
import type { FakeCertificates } from './fake-certificates.js';

/**
 * A manager of generation B on a real port. It holds what the wire demands and makes no VM; the reference manager is held
 * to the same texts by its own tests.
 */
export class FakeManager implements VmManager {
  readonly created: CreateReq[] = [];
  readonly removed: string[] = [];
  readonly vms = new Set<string>();
  max = 10;
  /** While set, a VM is made and nobody is told. */
  silent = false;
  /** Runs before a VM is made. */
  onCreate: () => unknown = () => undefined;

  private constructor(readonly listener: MutualTlsListener) {}

  /** @param old answers as v0.5.0 does, which knows no `CVMInfo` */
  static async start(certificates: FakeCertificates, old = false): Promise<FakeManager> {
    const server = createGrpcServer();
    const files = await certificates.issueServer();
    const listener = await listenMutualTls({ port: 0, server, credentials: () => files });
    const manager = new FakeManager(listener);
    addVmManager(server, manager, () => undefined);
    if (old) server.unregister('/manager.ManagerService/CVMInfo');
    return manager;
  }

  get address(): string {
    return `127.0.0.1:${this.listener.port}`;
  }

  async createVm(request: CreateReq): Promise<CreateRes> {
    await this.onCreate();
    this.created.push(request);
    if (this.vms.size >= this.max) throw new VmRefusal(vmRefusals.tooMany);
    const cvmId = `vm-${this.created.length}`;
    this.vms.add(cvmId);
    if (this.silent) await new Promise(() => undefined);
    return { forwardedPort: '6100', cvmId };
  }

  removeVm({ cvmId }: { cvmId: string }): Promise<Record<string, never>> {
    if (!this.vms.delete(cvmId)) throw new VmRefusal(vmRefusals.notFound);
    this.removed.push(cvmId);
    return Promise.resolve({});
  }

  async cvmInfo({ id }: { id: string }): Promise<CVMInfoRes> {
    if (!this.vms.has(id)) throw new VmRefusal(vmRefusals.notFound);
    const facts = { ovmfVersion: 'edk2', cpuNum: 4, cpuType: 'EPYC', kernelCmd: 'quiet' };
    return { id, eosVersion: 'eos', ...facts };
  }

  svmInfo(request: { id: string }): Promise<CVMInfoRes> {
    return this.cvmInfo(request);
  }

  async attestationPolicy({ id }: { id: string }): Promise<AttestationPolicyRes> {
    if (!this.vms.has(id)) throw new VmRefusal(vmRefusals.unknownComputation(id));
    return { id, info: Buffer.from('{}') };
  }

  close(): Promise<void> {
    return this.listener.close(0);
  }
}
