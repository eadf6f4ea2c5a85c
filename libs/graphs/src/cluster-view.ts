import type { GraphName } from './graph.js';

/** What the rules ask of a cluster. All answers come from memory; `ClusterIndex` is the one that programs keep. */
export interface ClusterView {
  /** False until all that is asked below has been read once; the rules then say BUSY. */
  readonly ready: boolean;
  /** Whether a Kafka bootstrap address is configured. */
  readonly kafkaConfigured: boolean;
  /** The Namespace of that name, with its labels; undefined where there is none. */
  namespace(name: string): NamespaceView | undefined;
  /** Graphs whose stored object claims the Namespace for a component or for flows. */
  claimantsOf(namespace: string): Iterable<GraphName>;
  /** Graphs whose stored object has a volume or repository flow with that claim name. */
  claimUsers(claim: string): Iterable<Holder>;
  /** Who provides the infra, registered or deployed. */
  providersOf(infra: string): Iterable<Holder>;
}

export interface NamespaceView {
  labels: Readonly<Record<string, string>>;
}

/** A graph that has a name which only one can have. */
export interface Holder {
  graph: GraphName;
  /** `creationTimestamp` (RFC 3339) of the graph, or of its RampartInfra for what it provides: the older one keeps the name. */
  createdAt: string;
}
