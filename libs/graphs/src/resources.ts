import type { Graph, GraphSpec, JsonObject } from './graph.js';

/** API group of everything below. */
export const GROUP = 'rampart.petuum.com';
/** The version that is stored, and the older one that is still served. */
export const V1BETA2 = `${GROUP}/v1beta2`;
export const V1BETA1 = `${GROUP}/v1beta1`;

/** A resource of the API, as its paths name it. */
interface Names {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

/** Names of the resources in the API; graphs are read and written in the stored version. */
export const resources = {
  graphs: names('v1beta2', 'RampartGraph', 'rampartgraphs'),
  presets: names('v1beta1', 'MutationPreset', 'mutationpresets'),
  infras: names('v1beta1', 'RampartInfra', 'rampartinfras'),
} as const;

function names(version: string, kind: string, plural: string): Names {
  return { group: GROUP, version, kind, plural, namespaced: true };
}

/** Metadata as the API server gives it (meta/v1); times are RFC 3339 text. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

interface Resource {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** A stored graph (v1beta2). Graphs stored before a rule existed may break it: check before relying on the type. */
export interface RampartGraph extends Resource {
  spec: GraphSpec;
  status?: GraphStatus;
}

/** v1beta1 has no `deploy`: an annotation carries `false` (5.3). */
export interface RampartGraphV1beta1 extends Resource {
  spec: { graph: Graph };
  status?: GraphStatus;
}

export type GraphPhase =
  'Deploying' | 'Deployed' | 'Undeploying' | 'Undeployed' | 'Deleting' | 'Failed';

/** Section 2.3; written by the operator only. */
export interface GraphStatus {
  phase?: GraphPhase;
  /** With `Failed`. */
  reason?: FailureReason;
  /** A heading line, then each error followed by a blank line. */
  messages?: string;
  /** Generation last finished, successfully or not. */
  observedGeneration?: number;
  componentNamespaces?: string[];
  /** JSON text: component to its sorted URL paths. */
  endpointPaths?: string;
  components?: ComponentStatus[];
  flows?: FlowStatus[];
  conditions?: Condition[];
}

export type FailureReason = 'GraphValidationError' | 'GraphDeploymentError';

export type ComponentState =
  'normal' | 'deploying' | 'transient_error' | 'persistent_error' | 'error' | 'not_found';
export type FlowState = ComponentState | 'unknown';

export interface ComponentStatus {
  name: string;
  namespace: string;
  state: ComponentState;
  message?: string;
  releases?: ReleaseStatus[];
}

/** A helm release. */
export interface ReleaseStatus {
  name: string;
  revision: number;
  status: string;
  chart: string;
  version: string;
}

export interface FlowStatus {
  name: string;
  type: string;
  state: FlowState;
  message?: string;
  namespace?: string;
  claim?: string;
  /** Of topics, in place of namespace and claim. */
  resource?: string;
}

export type ConditionType = 'Validated' | 'Deployed' | 'Ready' | 'Stalled';

/** Section 2.4, by Kubernetes conventions. */
export interface Condition {
  type: ConditionType;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

/** What each pod of a component namespace receives (2.5). */
export interface MutationPreset extends Resource {
  spec: PresetSpec;
}

/** Absent or null templates count as empty. */
export interface PresetSpec {
  /** Merged into containers. */
  containerTemplate?: JsonObject | null;
  /** Merged into the pod's `spec`. */
  podTemplate?: JsonObject | null;
}

/** Names that charts of a graph provide to the whole cluster (2.5); name and namespace are its graph's. */
export interface RampartInfra extends Resource {
  spec: { provides: { name: string }[] };
  status?: { provides?: ProvidedInfra[] };
}

export interface ProvidedInfra {
  name: string;
  status: 'registered' | 'deployed';
  source: { namespace: string; name: string };
}
