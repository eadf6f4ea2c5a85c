import { fileURLToPath } from 'node:url';
import { LABELS, resources, type Component, type Flow, type RampartGraph } from '@glacis/graphs';
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
import {
  helmProgram,
  sharedKafka,
  startKubernetes,
  type KubernetesCluster,
} from '@glacis/testbed/cluster';
import { releasesOf, type Release, type ReleaseSecret } from '../src/graphs/helm/index.js';
import type { Graph } from '../src/graphs/work.js';
import { serveCharts, type ChartServer } from './graph-charts.js';
import { OperatorProcess, operatorUser } from './operator-process.js';

const definitions = fileURLToPath(new URL('../../../k8s/crds', import.meta.url));

export interface GraphDraft {
  components?: Record<string, Partial<Component>>;
  flows?: Record<string, Flow>;
  deploy?: boolean;
}

/** A cluster with simulated nodes and real volumes, a repository of charts, and the operator as a process. */
export class GraphWorld {
  private constructor(
    readonly cluster: KubernetesCluster,
    readonly charts: ChartServer,
    readonly operator: OperatorProcess,
    readonly server: ApiServer,
    private readonly access: Access,
  ) {}

  static async open(env: Record<string, string> = {}): Promise<GraphWorld> {
    const cluster = await startKubernetes({ storage: true });
    try {
      await cluster.simulatedNodes(2);
      await cluster.kubectl('apply', '-f', definitions);
      await cluster.kubectl('wait', '--for=condition=Established', 'crd', '--all');
      await cluster.apply(chartRights);
      const charts = await serveCharts(cluster);
      const access = await openAccess({ kubeconfig: cluster.admin.file });
      const server = new ApiServer(access, { userAgent: 'test' });
      const operator = await OperatorProcess.prepare({
        server,
        kubeconfig: await operatorUser(cluster),
        env: {
          GLACIS_OPERATOR_RESOURCES: 'rampartgraphs',
          GLACIS_HELM: await helmProgram(),
          GLACIS_KAFKA_BOOTSTRAP: sharedKafka().join(','),
          RAMPART_STORAGE_CLASS: 'hostpath-by-name',
          RAMPART_FLOW_IMAGE: 'flows',
          GLACIS_REPO_IMAGE: 'repositories',
          RAMPART_AUX_CHART_REPO: charts.url,
          RAMPART_AUX_CHART_NAME: 'aux',
          ...env,
        },
      });
      const world = new GraphWorld(cluster, charts, operator, server, access);
      await operator.start();
      return world;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.operator.daemon.stop();
    await this.charts.stop();
    this.access.close();
    await this.cluster.stop();
  }

  client<T extends KubeObject>(type: ResourceType<T>): ResourceClient<T> {
    return new ResourceClient(this.server, type);
  }

  get graphs(): ResourceClient<Graph> {
    return this.client<Graph>(resources.graphs);
  }

  /** `kubectl apply` of a graph in `default`. What a component leaves out is that of the chart `worker`. */
  async apply(name: string, { components = {}, flows = {}, deploy }: GraphDraft): Promise<Graph> {
    const graph = { components: this.filled(components), flows };
    await this.cluster.apply({
      apiVersion: 'rampart.petuum.com/v1beta2',
      kind: 'RampartGraph',
      metadata: { name, namespace: 'default' },
      spec: { graph, ...(deploy !== undefined && { deploy }) },
    });
    return this.read(name);
  }

  private filled(
    components: Record<string, Partial<Component>>,
  ): RampartGraph['spec']['graph']['components'] {
    const chart = { repo: this.charts.url, name: 'worker', version: '1.0.0' };
    return Object.fromEntries(
      Object.entries(components).map(([name, component]) => [
        name,
        { chart, config: {}, inputs: {}, outputs: {}, ...component },
      ]),
    );
  }

  read(name: string): Promise<Graph> {
    return this.graphs.get({ namespace: 'default', name });
  }

  /** The graph once it is as wanted. */
  async until(
    name: string,
    holds: (graph: Graph) => boolean | undefined,
    deadlineMs = 60_000,
  ): Promise<Graph> {
    let last: Graph | undefined;
    const probe = async (): Promise<Graph | false> => {
      last = await this.read(name);
      return holds(last) === true && last;
    };
    return waitFor(probe, { deadlineMs, everyMs: 100, what: `${name} to get there` }).catch(
      async (cause: unknown) => {
        const log = (await this.operator.log()).slice(-4_000);
        throw new Error(`still ${JSON.stringify(last?.status, null, 1)}\n${log}`, { cause });
      },
    );
  }

  /** The newest generation is deployed and all of it is well. */
  ready(name: string): Promise<Graph> {
    return this.until(
      name,
      (graph) => isCurrent(graph) && condition(graph, 'Ready')?.status === 'True',
    );
  }

  phase(name: string, phase: string): Promise<Graph> {
    return this.until(name, (graph) => isCurrent(graph) && graph.status?.phase === phase);
  }

  async delete(name: string): Promise<void> {
    await this.graphs.delete({ namespace: 'default', name });
  }

  gone(name: string): Promise<unknown> {
    const graphs = this.graphs;
    const isGone = async (): Promise<boolean> =>
      (await graphs.find({ namespace: 'default', name })) === undefined;
    return waitFor(isGone, { deadlineMs: 60_000, everyMs: 100, what: `${name} to be gone` });
  }

  /** Releases of a Namespace by their names. */
  async releases(namespace: string): Promise<Record<string, Release>> {
    const labelSelector = 'owner=helm';
    const { items } = await this.client(builtIns.secrets).list({ namespace, labelSelector });
    const found = releasesOf(items as ReleaseSecret[]);
    return Object.fromEntries(found.map((release) => [release.name, release]));
  }

  /** Names of all Namespaces with the labels of a graph. */
  async namespaces(name: string): Promise<string[]> {
    const labelSelector = `${LABELS.graph}=${name}`;
    const { items } = await this.client(builtIns.namespaces).list({ labelSelector });
    return items.map(({ metadata }) => metadata.name).toSorted();
  }

  async pods(namespace: string): Promise<string[]> {
    const { items } = await this.client(builtIns.pods).list({ namespace });
    const left = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return left.map(({ metadata }) => metadata.uid).toSorted();
  }
}

/** What the charts of the tests make. */
const chartRights = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'charts' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
  subjects: [{ kind: 'User', name: 'glacis-operator', apiGroup: 'rbac.authorization.k8s.io' }],
};

export const isCurrent = ({ metadata, status }: Graph): boolean =>
  status?.observedGeneration === metadata.generation;

export function condition(
  { status }: Graph,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  return status?.conditions?.find((each) => each.type === type);
}
