import {
  ApiServer,
  builtIns,
  openAccess,
  ResourceClient,
  type Access,
  type KubeObject,
  type ResourceType,
} from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { teeManagerDefinition } from '../src/tee-managers/tee-manager.crd.js';
import { teeManagers, type TeeManager } from '../src/tee-managers/tee-manager.js';
import { EmbeddedSuite, type SuiteOptions } from './embedded-suite.js';
import { OperatorProcess, operatorUser } from './operator-process.js';
import { PretendKubelet } from './pretend-kubelet.js';

const definitionName = 'teemanagers.tee.glacis.dev';

export interface BackendView {
  id: string;
  name: string;
  address: string;
  active?: boolean;
  certificate_serial?: string;
}

/** A cluster, the suite, and the operator, in processes of their own. */
export class World {
  /** The administrator's way without a process for each call. */
  private readonly server: ApiServer;
  readonly managers: ResourceClient<TeeManager>;

  private constructor(
    readonly cluster: KubernetesCluster,
    readonly suite: EmbeddedSuite,
    readonly kubeconfig: string,
    private readonly access: Access,
    private readonly kubelet?: PretendKubelet,
  ) {
    this.server = new ApiServer(access, { userAgent: 'test' });
    this.managers = new ResourceClient(this.server, teeManagers);
  }

  /** In a cluster without nodes, with somebody who does as if there were some. */
  static async open(): Promise<World> {
    const cluster = await startKubernetes();
    return World.around(cluster, {}, await PretendKubelet.start(cluster.admin.file));
  }

  /** The cluster goes with it. @param kubelet absent: there are nodes */
  static async around(
    cluster: KubernetesCluster,
    options: SuiteOptions,
    kubelet?: PretendKubelet,
  ): Promise<World> {
    try {
      await cluster.apply(teeManagerDefinition);
      await cluster.kubectl('wait', '--for=condition=Established', `crd/${definitionName}`);
      const user = await operatorUser(cluster);
      const suite = await EmbeddedSuite.start(options);
      const access = await openAccess({ kubeconfig: cluster.admin.file });
      return new World(cluster, suite, user, access, kubelet);
    } catch (error) {
      await kubelet?.stop();
      await cluster.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.kubelet?.stop();
    this.access.close();
    await this.suite.stop();
    await this.cluster.stop();
  }

  operator(
    options: { env?: Record<string, string>; preload?: string } = {},
  ): Promise<OperatorProcess> {
    const { server, kubeconfig, suite } = this;
    const env = { ...suite.operatorEnv, ...options.env };
    return OperatorProcess.prepare({ server, kubeconfig, preload: options.preload, env });
  }

  async create(name: string, spec: object = {}, namespace = 'default'): Promise<void> {
    const wanted = { backend: { name }, tee: 'none', ...spec } as TeeManager['spec'];
    await this.managers.create({ metadata: { name, namespace }, spec: wanted });
  }

  /** A merge patch. */
  async change(name: string, patch: object): Promise<void> {
    await this.managers.patch({ namespace: 'default', name }, patch);
  }

  /** @param annotation `key=value` */
  annotate(name: string, annotation: string): Promise<void> {
    const annotations = Object.fromEntries([annotation.split(/=(.*)/s, 2)]);
    return this.change(name, { metadata: { annotations } });
  }

  async delete(name: string): Promise<void> {
    await this.managers.delete({ namespace: 'default', name });
  }

  read(name: string, namespace = 'default'): Promise<TeeManager> {
    return this.managers.get({ namespace, name });
  }

  /** An object of another type. */
  readAs<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    namespace = 'default',
  ): Promise<T> {
    return new ResourceClient(this.server, type).get({ namespace, name });
  }

  /** Its files in clear. */
  async files(name: string): Promise<Record<string, string>> {
    const { data = {} } = await this.readAs(builtIns.secrets, `${name}-manager-tls`);
    return Object.fromEntries(
      Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64').toString()]),
    );
  }

  /** The TeeManager once it is as wanted. */
  async until(
    name: string,
    holds: (manager: TeeManager) => boolean | undefined,
  ): Promise<TeeManager> {
    let last: TeeManager | undefined;
    const probe = async (): Promise<TeeManager | false> => {
      const manager = await this.read(name);
      last = manager;
      return holds(manager) === true && manager;
    };
    const options = { deadlineMs: 60_000, everyMs: 50, what: `${name} to get there` };
    return waitFor(probe, options).catch((cause: unknown) => {
      throw new Error(`still ${JSON.stringify(last?.status, null, 1)}`, { cause });
    });
  }

  running(name: string): Promise<TeeManager> {
    return this.until(name, (manager) => manager.status?.phase === 'Running' && isCurrent(manager));
  }

  async isGone(name: string): Promise<boolean> {
    return (await this.managers.find({ namespace: 'default', name })) === undefined;
  }

  gone(name: string): Promise<unknown> {
    const options = { deadlineMs: 90_000, everyMs: 50, what: `${name} to be gone` };
    return waitFor(() => this.isGone(name), options);
  }

  backend({ status }: TeeManager): Promise<BackendView> {
    return this.suite.call('GET', `/backends/${status?.backendId}`);
  }

  certificate(serial: string | undefined): Promise<{ status: string; revocation_reason?: string }> {
    return this.suite.call('GET', `/certs/${serial}`);
  }

  async valid(backendId: string | undefined): Promise<string[]> {
    const path = `/certs?entity_id=${backendId}&status=valid&limit=100`;
    const page = await this.suite.call<{ certificates: { SerialNumber: string }[] }>('GET', path);
    return page.certificates.map(({ SerialNumber }) => SerialNumber);
  }
}

/** What it says is about the spec as it is now. */
export const isCurrent = ({ metadata, status }: TeeManager): boolean =>
  status?.observedGeneration === metadata.generation;

export function condition(
  manager: TeeManager,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  return manager.status?.conditions?.find((each) => each.type === type);
}
