// A cluster with simulated nodes, and what `npm run bench -- graphs` sees of it.
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { resources } from '@glacis/graphs';
import { ApiServer, builtIns, Informer, openAccess, ResourceClient } from '@glacis/kube';
import { createLogger, Metrics } from '@glacis/observability';
import { startKubernetes } from '@glacis/testbed/cluster';
import { account } from '../support/operator.mjs';

const logger = createLogger({ name: 'bench', level: 'warn' });

/** @param nodes how many of them; each takes up to 1,000 pods */
export async function openWorld(folder, nodes) {
  const cluster = await startKubernetes();
  try {
    const names = await cluster.simulatedNodes(nodes);
    await cluster.kubectl('apply', '-f', 'k8s/crds');
    await cluster.kubectl('wait', '--for=condition=Established', 'crd', '--all');
    await cluster.apply(chartRights);
    const access = await openAccess({ kubeconfig: cluster.admin.file });
    return new World(cluster, names, access);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** What charts make. */
const chartRights = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'charts' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
  subjects: [account],
};

class World {
  constructor(cluster, nodes, access) {
    this.cluster = cluster;
    this.nodes = nodes;
    this.access = access;
    this.server = new ApiServer(access, { userAgent: 'bench', timeoutMs: 60_000 });
    this.graphs = new ResourceClient(this.server, resources.graphs);
    this.created = new Map();
    this.readyAt = new Map();
    this.readyPods = new Set();
    this.awaited = new Map();
    this.followed = [this.follow(resources.graphs, noteGraph), this.follow(builtIns.pods, notePod)];
  }

  follow(type, note) {
    const source = new ResourceClient(this.server, type);
    const metrics = new Metrics();
    const informer = new Informer({ name: type.plural, source, logger, metrics });
    informer.subscribe((change) => note(this, change));
    informer.start();
    return informer;
  }

  async close() {
    await Promise.all(this.followed.map((informer) => informer.stop()));
    this.access.close();
    await this.cluster.stop();
  }

  /** Resolves when the pod `namespace/name` is ready. */
  async podReady(key) {
    if (this.readyPods.has(key)) return;
    await new Promise((resolve) => this.awaited.set(key, resolve));
  }

  /** Graphs of one component, in `default`: so many requests at once. */
  async create(names, chart) {
    await inParallel(names, 16, async (name) => {
      await this.graphs.create(simpleGraph(name, chart));
      this.created.set(name, performance.now());
    });
  }

  /** Milliseconds from a graph's creation until it was ready, the shortest first. */
  waits(names) {
    const waits = names.map((name) => this.readyAt.get(name) - this.created.get(name));
    return waits.toSorted((a, b) => a - b);
  }
}

/** Does something with each, so many of them at once. */
export async function inParallel(items, limit, work) {
  const left = items.entries();
  const worker = async () => {
    for (const [at, item] of left) await work(item, at);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

const simpleGraph = (name, chart) => ({
  metadata: { namespace: 'default', name },
  spec: {
    graph: { components: { worker: { chart, config: {}, inputs: {}, outputs: {} } }, flows: {} },
  },
});

function noteGraph({ readyAt }, { new: graph }) {
  const ready = graph?.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True' || readyAt.has(graph.metadata.name)) return;
  readyAt.set(graph.metadata.name, performance.now());
}

function notePod({ readyPods, awaited }, { key, new: pod }) {
  const ready = pod?.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'True' || readyPods.has(key)) return;
  readyPods.add(key);
  awaited.get(key)?.();
  awaited.delete(key);
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: worker }
spec:
  selector: { matchLabels: { app: worker } }
  template:
    metadata: { labels: { app: worker } }
    spec: { containers: [{ name: worker, image: worker }] }
`;

/** A repository with the chart `worker` of one Deployment. @returns its address, and what stops it */
export async function serveChart(cluster, folder) {
  const [source, served] = [join(folder, 'worker'), join(folder, 'charts')];
  await mkdir(join(source, 'templates'), { recursive: true });
  await writeFile(
    join(source, 'Chart.yaml'),
    JSON.stringify({ apiVersion: 'v2', name: 'worker', version: '1.0.0' }),
  );
  await writeFile(join(source, 'templates/worker.yaml'), deployment);
  await cluster.helm('package', source, '--destination', served);
  await cluster.helm('repo', 'index', served);
  const server = createServer(({ url = '/' }, response) => {
    const file = join(served, new URL(url, 'http://charts').pathname);
    readFile(file).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const stop = async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  };
  return { url: `http://127.0.0.1:${server.address().port}`, stop };
}
