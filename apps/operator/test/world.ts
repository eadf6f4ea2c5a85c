import { waitFor } from '@glacis/runtime';
import { startKubernetes, type KubernetesCluster } from '@glacis/testbed/cluster';
import { teeManagerDefinition } from '../src/tee-managers/tee-manager.crd.js';
import type { TeeManager } from '../src/tee-managers/tee-manager.js';
import type { Secret } from '../src/tee-managers/tls-secret.js';
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
  private constructor(
    readonly cluster: KubernetesCluster,
    readonly suite: EmbeddedSuite,
    readonly kubeconfig: string,
    private readonly kubelet?: PretendKubelet,
  ) {}

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
      return new World(cluster, await EmbeddedSuite.start(options), user, kubelet);
    } catch (error) {
      await kubelet?.stop();
      await cluster.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.kubelet?.stop();
    await this.suite.stop();
    await this.cluster.stop();
  }

  operator(
    options: { env?: Record<string, string>; preload?: string } = {},
  ): Promise<OperatorProcess> {
    const { cluster, kubeconfig, suite } = this;
    const env = { ...suite.operatorEnv, ...options.env };
    return OperatorProcess.prepare({ cluster, kubeconfig, preload: options.preload, env });
  }

  create(name: string, spec: object = {}, namespace = 'default'): Promise<void> {
    return this.cluster.apply({
      apiVersion: 'tee.glacis.dev/v1alpha1',
      kind: 'TeeManager',
      metadata: { name, namespace },
      spec: { backend: { name }, tee: 'none', ...spec },
    });
  }

  /** A merge patch. */
  async change(name: string, patch: object): Promise<void> {
    await this.cluster.kubectl('patch', 'teem', name, '--type=merge', '-p', JSON.stringify(patch));
  }

  async annotate(name: string, annotation: string): Promise<void> {
    await this.cluster.kubectl('annotate', '--overwrite', 'teem', name, annotation);
  }

  async read<T = TeeManager>(name: string, kind = 'teem', namespace = 'default'): Promise<T> {
    return JSON.parse(
      await this.cluster.kubectl('get', kind, name, '-n', namespace, '-o', 'json'),
    ) as T;
  }

  /** Its files in clear. */
  async files(name: string): Promise<Record<string, string>> {
    const { data = {} } = await this.read<Secret>(`${name}-manager-tls`, 'secret');
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
    const options = { deadlineMs: 60_000, everyMs: 250, what: `${name} to get there` };
    return waitFor(probe, options).catch((cause: unknown) => {
      throw new Error(`still ${JSON.stringify(last?.status, null, 1)}`, { cause });
    });
  }

  running(name: string): Promise<TeeManager> {
    return this.until(name, (manager) => manager.status?.phase === 'Running' && isCurrent(manager));
  }

  gone(name: string): Promise<unknown> {
    const left = async (): Promise<boolean> =>
      (await this.cluster.kubectl('get', 'teem', name, '--ignore-not-found')) === '';
    return waitFor(left, { deadlineMs: 90_000, everyMs: 250, what: `${name} to be gone` });
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
