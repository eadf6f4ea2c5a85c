import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiServer, builtIns, openAccess, ResourceClient, type Access } from '@glacis/kube';
import {
  startKubernetes,
  startMongo,
  type KubernetesCluster,
  type MongoServer,
} from '@glacis/testbed/cluster';
import { parse } from 'yaml';
import { rampartGraphs, type GraphStatus } from '../src/cluster/rampart-graph.js';

const crds = new URL('../../../k8s/crds/', import.meta.url);

type Graphs = ResourceClient<
  typeof rampartGraphs extends { of?: infer T } ? NonNullable<T> : never
>;

/** The real API server with the Namespaces of three owners, a MongoDB-wire server, and something that answers for flows. */
export class ClusterWorld {
  private constructor(
    readonly cluster: KubernetesCluster,
    readonly mongo: MongoServer,
    readonly graphs: Graphs,
    private readonly access: Access,
    private readonly upstream: Server,
  ) {}

  static async open(): Promise<ClusterWorld> {
    const [cluster, mongo] = await Promise.all([startKubernetes(), startMongo()]);
    try {
      for (const kind of ['rampartgraphs', 'rampartinfras']) {
        const text = await readFile(new URL(`rampart.petuum.com_${kind}.yaml`, crds), 'utf8');
        await cluster.apply(parse(text));
        const name = `crd/${kind}.rampart.petuum.com`;
        await cluster.kubectl('wait', '--for=condition=Established', name);
      }
      const access = await openAccess({ kubeconfig: cluster.admin.file });
      const server = new ApiServer(access);
      await makeNamespaces(server);
      const upstream = createServer((request, response) => response.end(request.url));
      upstream.listen(0, '127.0.0.1');
      await once(upstream, 'listening');
      const graphs = new ResourceClient(server, rampartGraphs);
      return new ClusterWorld(cluster, mongo, graphs, access, upstream);
    } catch (error) {
      await Promise.all([mongo.stop(), cluster.stop()]);
      throw error;
    }
  }

  get flowAddress(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.upstream.address() as AddressInfo).port };
  }

  /** The operator`s word on a graph. */
  async report(name: string, status: GraphStatus): Promise<void> {
    const ref = { namespace: 'team', name };
    const { metadata } = await this.graphs.get(ref);
    const observedGeneration = metadata.generation;
    await this.graphs.patch(ref, { status: { observedGeneration, ...status } }, 'status');
  }

  async close(): Promise<void> {
    this.upstream.close();
    this.access.close();
    await this.mongo.stop();
    await this.cluster.stop();
  }
}

async function makeNamespaces(server: ApiServer): Promise<void> {
  const namespaces = new ResourceClient(server, builtIns.namespaces);
  for (const [name, tenant] of [
    ['team', 'tenant-a'],
    ['other', 'tenant-b'],
    ['nobodys', undefined],
  ] as const) {
    const labels: Record<string, string> =
      tenant === undefined ? {} : { 'glacis.dev/tenant': tenant };
    await namespaces.create({ metadata: { name, labels } });
  }
}
