/** What a graph is: `spec` of a RampartGraph (graph-apps.md 2.2). */

/** Where a graph lies. */
export interface GraphName {
  namespace: string;
  name: string;
}

/** Any object of which nothing is known but that it is one. */
export type JsonObject = Record<string, unknown>;

export interface GraphSpec {
  graph: Graph;
  /** Absent means true. Only v1beta2 has it. */
  deploy?: boolean;
}

/**
 * Names are data: one of `constructor` or `__proto__` is an own key like any other. Look a name up with
 * `Object.hasOwn` or walk with `Object.entries`; a bare index finds what every object inherits.
 */
export interface Graph {
  components: Record<string, Component>;
  flows: Record<string, Flow>;
}

export interface Component {
  chart: Chart;
  /** Values of helm. */
  config: JsonObject;
  inputs: Record<string, Edge>;
  outputs: Record<string, Edge>;
  namespace?: string;
  /** Of the UI; free text. */
  type?: string;
  /** Components of the same graph that come first. */
  needs?: string[];
  ingressNeeded?: boolean;
  /** Values of the aux chart. */
  auxConfig?: JsonObject;
  $ui?: unknown;
}

export interface Chart {
  /** A URL, or the name of a repository Secret. */
  repo: string;
  name: string;
  /** SemVer 2, or `latest`: the newest, pre-releases included; absent: the newest release. */
  version?: string;
  /** Name of a Secret with `username` and `password`; `None` and `null` mean none. */
  secret?: string | { name: string };
}

export const FLOW_TYPES = ['volume', 'repository', 'pulsar', 'kafka'] as const;
export type FlowType = (typeof FLOW_TYPES)[number];

/** Types whose data lies in a directory, mounted into the pods. */
export type MountedType = 'volume' | 'repository';

export type Edge = MountedEdge | TopicEdge;

export interface MountedEdge {
  type: MountedType;
  flow: string;
  config?: { mountPath?: string };
  $ui?: unknown;
}

export interface TopicEdge {
  type: 'pulsar' | 'kafka';
  flow: string;
  config?: JsonObject;
  $ui?: unknown;
}

/** The two sides of a component. */
export const EDGE_PARTS = ['inputs', 'outputs'] as const;
export type EdgePart = (typeof EDGE_PARTS)[number];

export type Flow = VolumeFlow | RepositoryFlow | PulsarFlow | KafkaFlow;

export type ReclaimPolicy = 'Retain' | 'Delete';

export interface VolumeFlow {
  type: 'volume';
  config: { size: string; reclaimPolicy?: ReclaimPolicy };
  $ui?: unknown;
}

export interface RepositoryFlow {
  type: 'repository';
  config: GitConfig | DvcConfig;
  $ui?: unknown;
}

export interface GitConfig extends RepositoryConfig {
  kind: 'git';
}

export interface DvcConfig extends RepositoryConfig {
  kind: 'dvc';
  storageRemote?: string;
  storageRemoteName?: string;
  storageSecret?: string;
  storageSecretType?: 's3';
}

interface RepositoryConfig {
  size: string;
  reclaimPolicy?: ReclaimPolicy;
  /** URL of a repository elsewhere; absent: one of our own. */
  remote?: string;
  secret?: string;
  username?: string;
  useremail?: string;
  defaultBranch?: string;
}

export interface PulsarFlow {
  type: 'pulsar';
  config?: JsonObject;
  $ui?: unknown;
}

export interface KafkaFlow {
  type: 'kafka';
  /** `partitions` from 1 (default 1); `retentionMs` from -1, default that of the broker. */
  config?: { partitions?: number; retentionMs?: number };
  $ui?: unknown;
}

/** Whether the edge or flow has a directory. */
export function isMounted<T extends Edge | Flow>(
  item: T,
): item is Extract<T, { type: MountedType }> {
  return item.type === 'volume' || item.type === 'repository';
}
