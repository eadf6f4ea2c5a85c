/** How a graph is stored: what a person declares, without what the cluster adds (`graph-apps.md` 6.6). */
export interface StoredGraph {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string };
  spec: { graph: unknown };
}

/** Namespace and name: what an App id is made of. */
export interface AppRef {
  namespace: string;
  name: string;
}

/** Words for the state of an App (6.5). */
export const appStatuses = [
  'undeployed',
  'deploying',
  'undeploying',
  'deleting',
  'deployed',
  'deployment_error',
  'error',
  'unknown',
] as const;
export type AppStatus = (typeof appStatuses)[number];

/** A graph and the counters of its history. The versions lie beside it. */
export interface App extends AppRef {
  /** Of the row: a new App of the same name has another one. */
  id: string;
  tenant: string;
  description: string;
  /** Of the draft, later those of the graph in the cluster. */
  labels: Record<string, string>;
  /** Of the graph in the cluster; null: there is none. */
  uid: string | null;
  /** The graph is there and is to be deployed. */
  active: boolean;
  /** The version that the graph in the cluster is; 0: never deployed. */
  activeVersion: number;
  /** Versions there are. */
  versionCount: number;
  /** The highest number ever given. */
  lastVersion: number;
  /** Phase word of versions that are being replaced, by number. */
  versionStatus: Record<string, string>;
  /** As last seen in the cluster. */
  phase: string | null;
  /** `resourceVersion` of the graph that was seen last and made a difference. */
  seen: string | null;
  status: AppStatus;
  lastEdit: Date;
  lastDeployment: Date | null;
  /** The `ETag`: counts what callers can see change. */
  revision: number;
  /** Counts every write of the row: who writes names the turn that it has read. */
  turn: number;
}

export type VersionSource = 'api' | 'cluster' | 'import';

/** A version without its graph. */
export interface VersionEntry {
  number: number;
  /** MD5 of `spec.graph` (6.6). */
  hash: string;
  notes: string;
  source: VersionSource;
  createdAt: Date;
  lastDeployment: Date | null;
}

/** One state of the graph; only `notes` and `lastDeployment` ever change. */
export interface Version extends VersionEntry {
  graph: StoredGraph;
}

/** What may change of a version. */
export type VersionPatch = { number: number } & Partial<Pick<Version, 'notes' | 'lastDeployment'>>;

/** The version whose graph stands for the App: what the cluster has, else what was saved last. */
export function shownVersion(app: App): number {
  return app.uid !== null && app.activeVersion > 0 ? app.activeVersion : app.lastVersion;
}
