import { waitFor } from '@glacis/runtime';
import { temporaryFolder } from '@glacis/testbed';
import {
  glacisImage,
  sharedCluster,
  startKubernetes,
  type KubernetesClients,
  type KubernetesNodes,
} from '@glacis/testbed/cluster';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { Api } from '../src/demo/api.js';

/** The chart of this checkout. */
export const chartFolder = fileURLToPath(new URL('../../../charts/glacis', import.meta.url));

/** A cluster that a test has for itself, with a real node that has the image. */
export interface OwnCluster extends KubernetesClients {
  image: string;
  nodes?: KubernetesNodes;
  stop(): Promise<void>;
}

/** A new one, as what is common to a whole cluster is looked at; that of `KUBECONFIG` where it is set. */
export async function ownCluster(): Promise<OwnCluster> {
  if (process.env.KUBECONFIG) return { ...(await sharedCluster()), stop: async () => undefined };
  const [cluster, image] = await Promise.all([startKubernetes({ node: true }), glacisImage()]);
  await cluster.nodes?.importImages(image.archive);
  return { ...cluster, image: image.name };
}

/** A namespace in which only pods by the standard `restricted` may run. */
export async function restrictedNamespace(cluster: KubernetesClients, name: string): Promise<void> {
  await cluster.kubectl('create', 'namespace', name);
  const standard = 'pod-security.kubernetes.io/enforce=restricted';
  await cluster.kubectl('label', 'namespace', name, standard);
}

/**
 * The chart as a release would pack it: its version is that of the image, so that it needs no values.
 * @returns the path of the archive
 */
export async function packChart(cluster: KubernetesClients, image: string): Promise<string> {
  const [repository, tag = ''] = image.split(/:(?=[^/]*$)/);
  const values = parse(await readFile(join(chartFolder, 'values.yaml'), 'utf8')) as {
    image: { repository: string };
  };
  if (repository !== values.image.repository) {
    throw new Error(`${image} is none of ${values.image.repository}, which the chart names`);
  }
  const folder = await temporaryFolder();
  const said = await cluster.helm('package', chartFolder, '--app-version', tag, '-d', folder);
  return said.trim().split(' ').at(-1)!;
}

/** A release of the chart in a namespace of its own. */
export class Release {
  constructor(
    readonly cluster: KubernetesClients,
    readonly namespace: string,
    readonly chart: string,
    readonly name = 'glacis',
  ) {}

  /** Resolves when all of it is ready, in 90 s at most. */
  async install(...values: string[]): Promise<void> {
    await this.helm('install', this.name, this.chart, '--wait', '--timeout=90s', ...values);
  }

  async upgrade(...values: string[]): Promise<void> {
    await this.helm('upgrade', this.name, this.chart, '--wait', '--timeout=180s', ...values);
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

  /** The door, as the first administrator of a trial sees it. */
  async trialApi(): Promise<Api> {
    const file = '/var/lib/glacis/admin.token';
    const token = await this.kubectl('exec', `${this.name}-suite-0`, '--', 'cat', file);
    return new Api(`http://${await this.service(`${this.name}-gateway`, 8080)}`, token.trim());
  }
}

/** `kind namespace/name` of every object that users of the API can make, but for those that tell of others. */
export async function listObjects(cluster: KubernetesClients): Promise<string[]> {
  const derived = /^(events|endpoints|endpointslices|componentstatuses|leases)\b/;
  const told = await cluster.kubectl('api-resources', '--verbs=list,create', '--output=name');
  const resources = told.split('\n').filter((name) => name && !derived.test(name));
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
  const names = lines.map((line) => line.trim().split(/\s+/).join(' '));
  return names.toSorted((one, other) => one.localeCompare(other));
}
