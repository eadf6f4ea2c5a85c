/** Difference of two graphs, for people and for programs (graph-apps.md 6.2, 19). */
import { canonicalText } from './hash.js';
import { entriesOf, isObject, member, pointer } from './json.js';
import type { JsonObject } from './graph.js';

export interface GraphDiff {
  equal: boolean;
  components: NameDiff;
  flows: NameDiff;
  /** RFC 6902, turns the first `spec.graph` into the second. Lists are replaced whole. */
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

/** `before` and `after` are `spec.graph` of two versions. */
export function diffOf(before: unknown, after: unknown, { ignoreUi }: DiffOptions): GraphDiff {
  const from = ignoreUi ? withoutUi(before) : before;
  const to = ignoreUi ? withoutUi(after) : after;
  const patch = [...changes(from, to, '')];
  return {
    equal: patch.length === 0,
    components: nameDiff(member(from, 'components'), member(to, 'components')),
    flows: nameDiff(member(from, 'flows'), member(to, 'flows')),
    patch,
  };
}

function nameDiff(before: unknown, after: unknown): NameDiff {
  const old = new Map(entriesOf(before));
  const current = new Map(entriesOf(after));
  const both = [...old].filter(([name]) => current.has(name));
  return {
    added: [...current.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !current.has(name)),
    changed: both.flatMap(([name, item]) => {
      const paths = [...changes(item, current.get(name), '')].map(({ path }) => path);
      return paths.length > 0 ? [{ name, paths }] : [];
    }),
  };
}

function* changes(before: unknown, after: unknown, path: string): Generator<PatchOperation> {
  if (isObject(before) && isObject(after)) yield* memberChanges(before, after, path);
  else if (canonicalText(before) !== canonicalText(after)) {
    yield { op: 'replace', path, value: after };
  }
}

function* memberChanges(
  before: JsonObject,
  after: JsonObject,
  path: string,
): Generator<PatchOperation> {
  for (const [key, value] of Object.entries(before)) {
    const at = pointer(path, key);
    if (Object.hasOwn(after, key)) yield* changes(value, after[key], at);
    else yield { op: 'remove', path: at };
  }
  for (const [key, value] of Object.entries(after)) {
    if (!Object.hasOwn(before, key)) yield { op: 'add', path: pointer(path, key), value };
  }
}

function withoutUi(graph: unknown): unknown {
  return mapped(graph, (collection) => mapped(collection, withoutUiOfItem));
}

/** A component, a flow; edges lie in both lists of a component. */
function withoutUiOfItem(item: unknown): unknown {
  return mapped(dropUi(item), (value, key) =>
    key === 'inputs' || key === 'outputs' ? mapped(value, dropUi) : value,
  );
}

function dropUi(item: unknown): unknown {
  return isObject(item)
    ? Object.fromEntries(Object.entries(item).filter(([key]) => key !== '$ui'))
    : item;
}

function mapped(value: unknown, change: (value: unknown, key: string) => unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item, key)]));
}
