import { ClusterIndex, LABELS, type RampartGraph, type RampartInfra } from '@glacis/graphs';
import {
  builtIns,
  byLabel,
  Informer,
  ResourceClient,
  type ApiServer,
  type Change,
  type IndexFunction,
  type KubeObject,
  type ResourceType,
} from '@glacis/kube';
import type { Health, Logger, Metrics } from '@glacis/observability';
import { graphKeysOf } from './graph-key.js';
import { rampartGraphs, rampartInfras } from './kinds/index.js';
import { namesIn, notes } from './plan.js';
import { graphRecord, namespaceRecord } from './records.js';
import { partOf } from './source.js';

export type Namespace = NonNullable<(typeof builtIns.namespaces)['of']>;

export interface GraphClusterOptions {
  server: ApiServer;
  kafkaConfigured: boolean;
  logger: Logger;
  metrics: Metrics;
}

/** The graphs, Namespaces and infras of the cluster, as copies that follow it, and what the rules ask of them. */
export class GraphCluster {
  readonly graphs: Informer<RampartGraph>;
  readonly namespaces: Informer<Namespace>;
  readonly infras: Informer<RampartInfra>;
  readonly index: ClusterIndex;

  constructor(private readonly options: GraphClusterOptions) {
    this.index = new ClusterIndex({ kafkaConfigured: options.kafkaConfigured });
    this.graphs = this.copyOf(rampartGraphs, graphRecord);
    this.namespaces = this.copyOf(builtIns.namespaces, namespaceRecord, namespaceIndexes);
    this.infras = this.copyOf(rampartInfras, (infra) => infra);
    this.graphs.subscribe((change) => this.graphChanged(change));
    this.namespaces.subscribe((change) => this.namespaceChanged(change));
    this.infras.subscribe((change) => this.infraChanged(change));
  }

  /** Resolves when all of it has been read for the first time; `index.ready` says so from then on. */
  get synced(): Promise<void> {
    return Promise.all(this.informers.map(({ synced }) => synced)).then(() => undefined);
  }

  start(health: Health): void {
    for (const informer of this.informers) {
      informer.start();
      health.add(informer.name, () => informer.check());
    }
    void this.synced.then(() => (this.index.ready = true));
  }

  async stop(): Promise<void> {
    await Promise.all(this.informers.map((informer) => informer.stop()));
  }

  private get informers(): Pick<
    Informer<KubeObject>,
    'name' | 'synced' | 'start' | 'stop' | 'check'
  >[] {
    return [this.graphs, this.namespaces, this.infras];
  }

  private copyOf<T extends KubeObject>(
    type: ResourceType<T>,
    part: (object: T) => T,
    indexes?: Record<string, IndexFunction<T>>,
  ): Informer<T> {
    const { server, logger, metrics } = this.options;
    const source = partOf(new ResourceClient(server, type), part);
    return new Informer({ name: type.plural, source, indexes, logger, metrics });
  }

  private graphChanged({ old, new: now }: Change<RampartGraph>): void {
    if (now) this.index.setGraph(nameOf(now), now.spec, now.metadata.creationTimestamp);
    else if (old) this.index.deleteGraph(nameOf(old));
  }

  private namespaceChanged({ key, new: now }: Change<Namespace>): void {
    if (now) this.index.setNamespace(key, now.metadata.labels ?? {});
    else this.index.deleteNamespace(key);
  }

  private infraChanged({ old, new: now }: Change<RampartInfra>): void {
    if (!now) {
      if (old) this.index.deleteInfra(nameOf(old));
      return;
    }
    const provides = now.status?.provides ?? [];
    const createdAt = now.metadata.creationTimestamp ?? '';
    this.index.setInfra(
      { graph: nameOf(now), createdAt },
      provides.map(({ name }) => name),
    );
  }
}

/** Namespaces of a graph by its uid and by its key, and of components by the infra that their charts require. */
const namespaceIndexes: Record<string, IndexFunction<KubeObject>> = {
  graph: byLabel(LABELS.graphUid),
  graphKey: graphKeysOf,
  requires: (namespace) => namesIn(namespace, notes.requires),
};

function nameOf({ metadata: { namespace = '', name } }: KubeObject): {
  namespace: string;
  name: string;
} {
  return { namespace, name };
}
