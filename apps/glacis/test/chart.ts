import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import {
  glacisImage,
  sharedCluster,
  startKubernetes,
  type KubernetesClients,
  type KubernetesNodes,
} from '@glacis/testbed/cluster';
import { fileURLToPath } from 'node:url';
import { Api } from '../src/demo/api.js';

/** The chart of this checkout. */
export const chartFolder = fileURLToPath(new URL('../../../charts/glacis', import.meta.url));

/** A cluster that a test has for itself, with a real node that has the image. */
export interface OwnCluster extends KubernetesClients {
  image: string;
  nodes?: KubernetesNodes;
  stop(): Promise<void>;
}

/**
 * A new one, as what is common to a whole cluster is looked at; that of `KUBECONFIG` where it is set.
 * @param nodes how many a new one has
 */
export async function ownCluster(nodes = 1): Promise<OwnCluster> {
  if (process.env.KUBECONFIG) return { ...(await sharedCluster()), stop: async () => undefined };
  const { name: image, images } = await glacisImage();
  return { ...(await startKubernetes({ node: true, nodes, images })), image };
}

/** A namespace in which only pods by the standard `restricted` may run. */
export async function restrictedNamespace(cluster: KubernetesClients, name: string): Promise<void> {
  await cluster.kubectl('create', 'namespace', name);
  const standard = 'pod-security.kubernetes.io/enforce=restricted';
  await cluster.kubectl('label', 'namespace', name, standard);
}

/** The chart in an archive, and the values that it needs nevertheless. */
export interface PackedChart {
  archive: string;
  values: string[];
}

/** The chart as a release would pack it: its version is that of the image, so that it needs no values. */
export async function packChart(cluster: KubernetesClients, image: string): Promise<PackedChart> {
  const [repository = '', tag = ''] = image.split(/:(?=[^/]*$)/);
  const folder = await temporaryFolder();
  const said = await cluster.helm('package', chartFolder, '--app-version', tag, '-d', folder);
  const values = repository === 'localhost/glacis' ? [] : [`--set=image.repository=${repository}`];
  return { archive: said.trim().split(' ').at(-1)!, values };
}

/** A release of the chart in a namespace of its own. */
export class Release {
  constructor(
    readonly cluster: KubernetesClients,
    readonly namespace: string,
    private readonly chart: PackedChart,
    readonly name = 'glacis',
  ) {}

  /** Resolves when all of it is ready. */
  async install(...values: string[]): Promise<void> {
    await this.apply('install', ['--timeout=240s', ...values]);
  }

  /** `helm test`, whose own words do not say what its pod has found. */
  async test(): Promise<void> {
    await this.helm('test', this.name).catch(async (cause: unknown) => {
      const told = await this.kubectl('logs', `${this.name}-test`, '--all-containers', '--prefix');
      throw new Error(`helm test has failed:\n${told}`, { cause });
    });
  }

  async upgrade(...values: string[]): Promise<void> {
    await this.apply('upgrade', ['--timeout=240s', ...values]);
  }

  private async apply(verb: string, options: string[]): Promise<void> {
    const { archive, values } = this.chart;
    await this.helm(verb, this.name, archive, '--wait', ...values, ...options);
  }

  helm(...args: string[]): Promise<string> {
    return this.cluster.helm('--namespace', this.namespace, ...args);
  }

  kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl('--namespace', this.namespace, ...args);
  }

  /** The address of a Service, once it leads somewhere from this machine. */
  async service(name: string, port: number): Promise<string> {
    const clusterIp = await this.kubectl(
      'get',
      'service',
      name,
      '-o',
      'jsonpath={.spec.clusterIP}',
    );
    const address = `${clusterIp.trim()}:${port}`;
    const answers = async (): Promise<boolean> =>
      (await fetch(`http://${address}/health/live`, { signal: AbortSignal.timeout(1_000) })).ok;
    await waitFor(answers, { deadlineMs: 30_000, what: `${name} at ${address}` });
    return address;
  }

  /** A column of the pods of one program: `name`, or another path such as `status.podIP`. */
  async pods(component: string, path = 'metadata.name'): Promise<string[]> {
    const selector = `--selector=app.kubernetes.io/component=${component}`;
    const running = '--field-selector=status.phase=Running';
    const told = await this.kubectl(
      'get',
      'pods',
      selector,
      running,
      '-o',
      `jsonpath={.items[*].${path}}`,
    );
    return told.split(' ').filter(Boolean);
  }

  /** The door of services apart, as the first administrator sees it. */
  async apartApi(): Promise<Api> {
    const program = ['node', 'apps/gateway/dist/admin-token.js'];
    const token = await this.kubectl('exec', `deployment/${this.name}-gateway`, '--', ...program);
    return new Api(`http://${await this.service(`${this.name}-gateway`, 8080)}`, token.trim());
  }

  /** The door, as the first administrator of a trial sees it. */
  async trialApi(): Promise<Api> {
    const file = '/var/lib/glacis/admin.token';
    const token = await this.kubectl('exec', `${this.name}-suite-0`, '--', 'cat', file);
    return new Api(`http://${await this.service(`${this.name}-gateway`, 8080)}`, token.trim());
  }
}

/**
 * `kind namespace name` of every object that users of the API can make, but for events, which end by themselves, and
 * groups of the API, which come and go with their definitions.
 */
export async function listObjects(cluster: KubernetesClients): Promise<string[]> {
  const told = await cluster.kubectl('api-resources', '--verbs=list,create', '--output=name');
  const resources = told
    .split('\n')
    .filter((name) => name && !/^(events|apiservices)\b/.test(name));
  const columns = 'custom-columns=:kind,:metadata.namespace,:metadata.name';
  const objects = await cluster.kubectl(
    'get',
    resources.join(','),
    '--all-namespaces',
    '--output',
    columns,
    '--no-headers',
  );
  const lines = objects.split('\n').filter((line) => line.trim());
  const names = lines
    .map((line) => line.trim().split(/\s+/).join(' '))
    // By which a node says that it lives: it makes it in its own time.
    .filter((name) => !name.startsWith('Lease kube-node-lease '));
  return names.toSorted((one, other) => one.localeCompare(other));
}
