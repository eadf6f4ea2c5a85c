import type { NewEvent } from '@glacis/events';
import type { AuditEntry } from '@glacis/identity';
import type {
  App,
  AppRef,
  AppStatus,
  StoredGraph,
  Version,
  VersionEntry,
  VersionPatch,
} from '../apps/app.entity.js';

/** One change of an App, all of it or nothing. */
export interface Edit {
  /** As it was read; absent: there is none yet. */
  before?: App;
  /** As it is to be; absent: it goes, with its versions. Its turn is set by the store. */
  after?: App;
  version?: Version;
  patch?: VersionPatch;
  events: NewEvent[];
  audit: AuditEntry[];
}

/** Somebody else has written the App since it was read, or made one of its name. Read again, decide again. */
export class OutrunError extends Error {
  override readonly name = 'OutrunError';
}

export interface AppQuery {
  tenant: string;
  namespace?: string;
  /** Part of the name. */
  q?: string;
  status?: AppStatus;
  /** Only what comes after it in the order of namespace and name. */
  after?: AppRef;
  limit?: number;
}

export interface AppPage {
  apps: App[];
  /** Apps there are, on this page or not. */
  total: number;
}

/** Numbers of versions: those after `after`, at most `limit`. */
export interface VersionRange {
  after?: number;
  limit?: number;
}

/** Where Apps and versions are kept. Two implementations, held to the same cases. */
export interface AppsStore {
  find(ref: AppRef): Promise<App | undefined>;
  /** By namespace and name. */
  list(query: AppQuery): Promise<AppPage>;
  /** Every App with a graph in the cluster, of any tenant. */
  deployed(): Promise<AppRef[]>;
  /** Ascending by number. */
  versions(app: App, range?: VersionRange): Promise<VersionEntry[]>;
  version(app: App, number: number): Promise<Version | undefined>;
  /** The highest number with this hash. */
  numberOf(app: App, hash: string): Promise<number | undefined>;
  /** The graph that stands for each App, by the id of its row. */
  shownGraphs(apps: readonly App[]): Promise<Map<string, StoredGraph>>;
  /** @throws {OutrunError} */
  commit(edit: Edit): Promise<void>;
}

/** Injection token of the store. */
export const APPS_STORE = Symbol('apps store');
