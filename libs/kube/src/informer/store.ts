import { keyOf, type KubeObject } from '../api/objects.js';

/** What became of one object: `old` alone is gone, `new` alone has come. Both are of one uid. */
export interface Change<T> {
  /** `namespace/name`, or the name. */
  key: string;
  old?: T;
  new?: T;
}

/** Gives the values under which an object is found; none: it is not in the index. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** The uids of all owners. */
export const byOwner: IndexFunction<KubeObject> = ({ metadata }) =>
  (metadata.ownerReferences ?? []).map(({ uid }) => uid);

/** The value of a label. */
export function byLabel(name: string): IndexFunction<KubeObject> {
  return ({ metadata }) => {
    const value = metadata.labels?.[name];
    return value === undefined ? [] : [value];
  };
}

/** What a store offers to those who only read. Objects are frozen: change a copy. */
export interface StoreReader<T> {
  readonly size: number;
  get(key: string): T | undefined;
  values(): IterableIterator<T>;
  /** @param index one of those that the informer was given; an unknown one is a `RangeError` */
  by(index: string, value: string): T[];
}

/** The objects of a resource by key, with indexes over them. */
export class Store<T extends KubeObject> implements StoreReader<T> {
  private readonly objects = new Map<string, T>();
  private readonly indexes: Map<string, Index<T>>;

  constructor(indexes: Record<string, IndexFunction<T>> = {}) {
    this.indexes = new Map(
      Object.entries(indexes).map(([name, values]) => [name, new Index(values)]),
    );
  }

  get size(): number {
    return this.objects.size;
  }

  get(key: string): T | undefined {
    return this.objects.get(key);
  }

  values(): IterableIterator<T> {
    return this.objects.values();
  }

  by(index: string, value: string): T[] {
    const found = this.indexes.get(index);
    if (!found) throw new RangeError(`no index ${index}`);
    return [...found.keys(value)].flatMap((key) => this.objects.get(key) ?? []);
  }

  /** Takes these objects for all that there are. */
  replace(objects: readonly T[]): Change<T>[] {
    const there = new Set(objects.map(({ metadata }) => keyOf(metadata)));
    const gone = [...this.objects.keys()].filter((key) => !there.has(key));
    return [...gone.flatMap((key) => this.remove(key)), ...objects.flatMap((o) => this.put(o))];
  }

  /** An object that was deleted and made again meanwhile gives two changes. */
  put(object: T): Change<T>[] {
    const key = keyOf(object.metadata);
    const old = this.objects.get(key);
    if (old?.metadata.resourceVersion === object.metadata.resourceVersion) return [];
    const replaced = old !== undefined && old.metadata.uid !== object.metadata.uid;
    const changes = replaced ? this.remove(key) : [];
    this.write(key, deepFreeze(object));
    return [...changes, { key, ...(old && !replaced && { old }), new: object }];
  }

  remove(key: string): Change<T>[] {
    const old = this.objects.get(key);
    if (old === undefined) return [];
    this.write(key, undefined);
    return [{ key, old }];
  }

  private write(key: string, object: T | undefined): void {
    const old = this.objects.get(key);
    for (const index of this.indexes.values()) index.move(key, old, object);
    if (object) this.objects.set(key, object);
    else this.objects.delete(key);
  }
}

class Index<T> {
  /** Most values have one key: a set for each would be more than half of an index. */
  private readonly byValue = new Map<string, string | Set<string>>();

  constructor(private readonly valuesOf: IndexFunction<T>) {}

  keys(value: string): Iterable<string> {
    const found = this.byValue.get(value) ?? [];
    return typeof found === 'string' ? [found] : found;
  }

  move(key: string, old: T | undefined, object: T | undefined): void {
    for (const value of old ? this.valuesOf(old) : []) this.drop(value, key);
    for (const value of object ? this.valuesOf(object) : []) this.add(value, key);
  }

  private add(value: string, key: string): void {
    const found = this.byValue.get(value);
    if (found === undefined) this.byValue.set(value, key);
    else if (typeof found !== 'string') found.add(key);
    else if (found !== key) this.byValue.set(value, new Set([found, key]));
  }

  private drop(value: string, key: string): void {
    const found = this.byValue.get(value);
    if (found === key) this.byValue.delete(value);
    if (typeof found !== 'object') return;
    found.delete(key);
    if (found.size === 0) this.byValue.delete(value);
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
