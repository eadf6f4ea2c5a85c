import type {
  ChartSource,
  ClusterView,
  Examination,
  GraphName,
  GraphStatus,
  RampartGraph,
  RampartInfra,
  RenderSettings,
} from '@glacis/graphs';
import type { ApiServer, KubeObject, ResourceType, StoreReader } from '@glacis/kube';
import { ResourceClient } from '@glacis/kube';
import type { Applied } from './applied.js';
import type { OwnedCache } from './cache.js';
import type { ClusterObjects, Helm, WorkFolder } from './helm/index.js';
import type { LogPhase } from './log-line.js';
import type { NewsKind } from './news.js';
import type { ReleaseState } from './records.js';
import type { Probes } from './probes.js';
import type { TopicTypes } from './topics/topic-type.js';

/** The status with what only the operator reads. */
export type RecordedStatus = GraphStatus & {
  /** Failed attempts of the observed generation. */
  attempts?: number;
};

export type Graph = Omit<RampartGraph, 'status'> & { status?: RecordedStatus };

export interface WorkSettings {
  /** Brokers are added as the cluster has them at the moment. */
  render: RenderSettings;
  kafkaBootstrap: () => string;
  /** Milliseconds from one comparison with what is there to the next. */
  resyncMs: number;
  /** Milliseconds of a pod's life after which its trouble counts as lasting. */
  persistentErrorAfterMs: number;
}

/** What lasts for as long as the process does; all of it may be lost at any time. */
export interface Memory {
  applied: Applied;
  /** Status of each graph as it was last written, by uid: the caches may not have it yet. */
  written: Map<string, { resourceVersion: string; status: RecordedStatus }>;
  /** When objects of charts whose kinds are not watched were made or looked for, by release. */
  looked: Map<string, number>;
  /** When a graph that has failed is due again, by uid. */
  due: Map<string, { generation: number; at: number }>;
}

/** One reconcile of one graph: what it works on, and by what. */
export interface Work {
  /** As it was last read or written. */
  graph: Graph;
  id: GraphName & { uid: string };
  server: ApiServer;
  graphs: ResourceClient<Graph>;
  namespaces: StoreReader<Namespace>;
  cluster: ClusterView;
  infras: StoreReader<RampartInfra>;
  cache: OwnedCache;
  /** Objects of any kind, such as charts make, to be looked at. */
  objects: Pick<ClusterObjects, 'find'>;
  charts: ChartSource;
  helm: Helm;
  folder: WorkFolder;
  probes: Probes;
  topics: TopicTypes;
  /** Releases as this reconcile has read them, by key: the cache may not have them yet. */
  seen: Map<string, ReleaseState>;
  /** Namespaces that this reconcile has made: a release that it has not installed there is not there. */
  made: Set<string>;
  memory: Memory;
  settings: WorkSettings;
  /** Writes an unexpected fault of a rule to the log. @returns the id that it has there */
  report: (error: unknown) => string;
  now(): Date;
  /** Something newer is asked for: the step under way ends, and no other begins. */
  outdated(): boolean;
  /** Everything is to end. */
  signal: AbortSignal;
  /** An Event about the graph, and a line of the log. */
  tell(kind: NewsKind, note: string): void;
  /** The same about another graph. */
  tellOther(key: string, kind: NewsKind, note: string): void;
  /** A line of the log alone. */
  say(phase: LogPhase, message: string): void;
}

export type Mounts = Examination['mounts'];

export type Namespace = KubeObject;

/** The client of a type that may write for as long as the reconcile may. */
export function clientOf<T extends KubeObject>(
  { server }: Pick<Work, 'server'>,
  type: ResourceType<T>,
): ResourceClient<T> {
  return new ResourceClient(server, type);
}
