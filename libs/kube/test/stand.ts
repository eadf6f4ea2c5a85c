import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, Metrics } from '@glacis/observability';
import { temporaryFolder } from '@glacis/testbed';
import {
  faultProxy,
  startKubernetes,
  type FaultProxy,
  type KubernetesCluster,
} from '@glacis/testbed/cluster';
import {
  ApiServer,
  byOwner,
  Informer,
  openAccess,
  ResourceClient,
  type Access,
  type KubeObject,
  type ResourceType,
} from '../src/index.js';
import { widgets, type Widget } from './widgets.js';

export const logger = createLogger({ name: 'test', level: 'silent' });
const userAgent = 'glacis-kube-test';
export const backoff = { initialMs: 50, factor: 2, maxMs: 500, jitter: 0.5 };

/** A real API server that knows widgets, reached directly and over a network that can fail. */
export class Stand {
  private constructor(
    readonly cluster: KubernetesCluster,
    readonly proxy: FaultProxy,
    private readonly accesses: Access[],
    readonly direct: ApiServer,
    /** Over `proxy`. */
    readonly shaky: ApiServer,
  ) {}

  static async open(): Promise<Stand> {
    const cluster = await startKubernetes();
    const proxy = await faultProxy({ port: Number(new URL(cluster.url).port) });
    const accesses = [
      await openAccess({ kubeconfig: cluster.admin.file }),
      await openAccess({ kubeconfig: await kubeconfigOver(proxy, cluster) }),
    ] as const;
    const direct = new ApiServer(accesses[0], { timeoutMs: 5_000, userAgent });
    const shaky = new ApiServer(accesses[1], { timeoutMs: 2_000, userAgent });
    await cluster.apply(crd);
    await cluster.kubectl('wait', '--for=condition=Established', `crd/${crd.metadata.name}`);
    return new Stand(cluster, proxy, [...accesses], direct, shaky);
  }

  /** For somebody else than the administrator. */
  async as(kubeconfig: string): Promise<ApiServer> {
    const access = await openAccess({ kubeconfig });
    this.accesses.push(access);
    return new ApiServer(access, { timeoutMs: 5_000, userAgent });
  }

  /** Mends the network and removes all widgets, whoever still holds them. */
  async tidy(): Promise<void> {
    this.proxy.heal();
    this.proxy.delay(0);
    const client = widgetsOf(this.direct);
    for (const widget of (await client.list()).items) {
      await client.patch(widget.metadata, { metadata: { finalizers: null } });
      await client.delete(widget.metadata).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    for (const access of this.accesses) access.close();
    await this.proxy.close();
    await this.cluster.stop();
  }
}

async function kubeconfigOver(proxy: FaultProxy, cluster: KubernetesCluster): Promise<string> {
  const file = join(await temporaryFolder(), 'kubeconfig');
  const text = await readFile(cluster.admin.file, 'utf8');
  await writeFile(file, text.replaceAll(cluster.url, `https://127.0.0.1:${proxy.port}`));
  return file;
}

export const widgetsOf = (server: ApiServer): ResourceClient<Widget> =>
  new ResourceClient(server, widgets);

export function watching<T extends KubeObject>(
  server: ApiServer,
  type: ResourceType<T>,
): Informer<T> {
  const informer = new Informer<T>({
    name: type.plural,
    source: new ResourceClient(server, type),
    indexes: { owner: byOwner },
    watchSeconds: 3,
    backoff,
    logger,
    metrics: new Metrics(),
  });
  informer.start();
  return informer;
}

const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.test.glacis.dev' },
  spec: {
    group: 'test.glacis.dev',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: { size: { type: 'integer' }, colour: { type: 'string' } },
              },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};
