import type { Examination } from '../rules/examine.js';
import type { Graph, GraphName } from '../graph.js';

/** A graph that the rules accept, with all that its objects follow from (graph-apps.md 4.4 to 4.8). */
export interface RenderSubject {
  graph: GraphName & { uid: string };
  spec: Graph;
  /** As `examine` gives them. */
  mounts: Examination['mounts'];
  settings: RenderSettings;
}

/** What the settings of the operator (4.11) say of objects. */
export interface RenderSettings {
  /** RAMPART_REGISTRY; empty: none. */
  registry: string;
  /** RAMPART_STORAGE_CLASS, whose claims of one name share a directory. */
  storageClass: string;
  /** RAMPART_FLOW_IMAGE: has the flow service. */
  flowImage: string;
  /** GLACIS_LIVENESS_IMAGE: has the liveness of edges. */
  livenessImage: string;
  /** GLACIS_REPO_IMAGE: has sh and git, and dvc where graphs have flows of that kind. */
  repositoryImage: string;
  /** Text of the dockerconfigjson in RAMPART_IMAGE_PULL_SECRET_PATH. Absent: nothing is pulled with a Secret. */
  pullSecret?: string;
  /** Text of the script RAMPART_VOLUME_FLOW_LIVENESS_PATH, which the liveness image then runs. Absent: its own. */
  livenessScript?: string;
  /** RAMPART_REPO_FLOW_INIT_TIMEOUT, in seconds. */
  initTimeoutSeconds: number;
  /** RAMPART_PULSAR_SERVICE, _NAMESPACE and _CLIENT_PORT; an empty port is left out of URLs. */
  pulsar: { service: string; namespace: string; clientPort: string };
  /** `host:port[,host:port]` of the brokers. */
  kafkaBootstrap: string;
}

/** A Kubernetes object that is to be. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name?: string;
    generateName?: string;
    namespace?: string;
    labels: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [member: string]: unknown;
}
