/** Difference of two graphs, for people and for programs (graph-apps.md 6.2, 19). */
export interface GraphDiff {
  equal: boolean;
  components: NameDiff;
  flows: NameDiff;
  /** RFC 6902, turns the first `spec.graph` into the second. */
  patch: PatchOperation[];
}

export interface NameDiff {
  added: string[];
  removed: string[];
  changed: ChangedItem[];
}

export interface ChangedItem {
  name: string;
  /** JSON pointers below the item. */
  paths: string[];
}

export type PatchOperation =
  { op: 'add' | 'replace'; path: string; value: unknown } | { op: 'remove'; path: string };

export interface DiffOptions {
  /** Leave out `$ui` of components, edges and flows. */
  ignoreUi: boolean;
}

export function diffOf(_before: unknown, _after: unknown, _options: DiffOptions): GraphDiff {
  throw new Error('not yet');
}
