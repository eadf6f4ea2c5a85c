import { existsSync } from 'node:fs';
import { ClusterIndex } from '@glacis/graphs';
import {
  ApiServer,
  builtIns,
  Informer,
  openAccess,
  ResourceClient,
  type KubeObject,
  type ResourceType,
} from '@glacis/kube';
import type { Logger, Metrics } from '@glacis/observability';
import { rampartGraphs, rampartInfras } from './rampart-graph.js';

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** A cluster, with what is kept of it in memory. */
export interface Connection {
  graphs: Informer<GraphObject>;
  namespaces: Informer<NamespaceObject>;
  clients: { graphs: ResourceClient<GraphObject>; namespaces: ResourceClient<NamespaceObject> };
  /** What the rules ask; `ready` once all of it has been read. */
  index: ClusterIndex;
  start(): void;
  stop(): Promise<void>;
}

type ObjectOf<R> = R extends ResourceType<infer T> ? T : never;
export type GraphObject = ObjectOf<typeof rampartGraphs>;
type NamespaceObject = ObjectOf<typeof builtIns.namespaces>;

export interface ConnectionOptions {
  /** As `KUBECONFIG`; undefined: the service account of the pod. */
  kubeconfig: string | undefined;
  logger: Logger;
  metrics: Metrics;
}

/** True where there is a cluster to connect to. */
export function isConfigured(kubeconfig: string | undefined): boolean {
  return kubeconfig !== undefined || existsSync(serviceAccount);
}

export async function connect(options: ConnectionOptions): Promise<Connection> {
  const { kubeconfig, logger, metrics } = options;
  const access = await openAccess({ kubeconfig });
  const server = new ApiServer(access, { userAgent: 'glacis-graph-apps' });
  const informer = <T extends KubeObject>(type: ResourceType<T>): Informer<T> =>
    new Informer<T>({
      name: type.plural,
      source: new ResourceClient(server, type),
      logger,
      metrics,
    });
  const graphs = informer(rampartGraphs);
  const namespaces = informer(builtIns.namespaces);
  const infras = informer(rampartInfras);
  const all = [graphs, namespaces, infras];
  return {
    graphs,
    namespaces,
    clients: {
      graphs: new ResourceClient(server, rampartGraphs),
      namespaces: new ResourceClient(server, builtIns.namespaces),
    },
    index: indexOf({ graphs, namespaces, infras }),
    start: () => all.forEach((each) => each.start()),
    stop: async () => {
      await Promise.all(all.map((each) => each.stop()));
      access.close();
    },
  };
}

interface Sources {
  graphs: Informer<GraphObject>;
  namespaces: Informer<NamespaceObject>;
  infras: Informer<ObjectOf<typeof rampartInfras>>;
}

/** Which Kafka the operator has is for it to know: here none is missed. */
function indexOf({ graphs, namespaces, infras }: Sources): ClusterIndex {
  const index = new ClusterIndex({ kafkaConfigured: true });
  namespaces.subscribe(({ key, new: now }) => {
    if (now) index.setNamespace(key, now.metadata.labels ?? {});
    else index.deleteNamespace(key);
  });
  graphs.subscribe(({ old, new: now }) => {
    if (now) index.setGraph(nameOf(now), now.spec);
    else if (old) index.deleteGraph(nameOf(old));
  });
  infras.subscribe(({ old, new: now }) => {
    const provides = (now?.status?.provides ?? []).map(({ name }) => name);
    const createdAt = now?.metadata.creationTimestamp ?? '';
    if (now) index.setInfra({ graph: nameOf(now), createdAt }, provides);
    else if (old) index.deleteInfra(nameOf(old));
  });
  const synced = [graphs, namespaces, infras].map((each) => each.synced);
  void Promise.all(synced).then(() => (index.ready = true));
  return index;
}

function nameOf({ metadata }: KubeObject): { namespace: string; name: string } {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}
