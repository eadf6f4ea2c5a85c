/** What every object carries (meta/v1). Times are RFC 3339 text, as they are on the wire. */
export interface ObjectMeta {
  name: string;
  /** Absent in cluster-wide objects. */
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
  /** Who has set which field; not kept by informers. */
  managedFields?: unknown[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** An object as the API server gives it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** Names an object of a known type. */
export interface ObjectRef {
  name: string;
  /** Absent for cluster-wide types. */
  namespace?: string;
}

/** What is sent of an object: its type is known from the resource, and the server adds the rest of the metadata. */
export type Draft<T extends KubeObject> = Partial<Omit<T, keyof KubeObject>> & {
  metadata: Partial<Omit<ObjectMeta, 'name'>> & { name: string };
};

/** The types of client-node with times as text: those of its own clients are dates, those on the wire are not. */
export type OnWire<V> = V extends Date
  ? string
  : V extends object
    ? { [K in keyof V]: OnWire<V[K]> }
    : V;

/** A built-in object by its type in client-node: `BuiltIn<V1Secret>`. */
export type BuiltIn<V> = KubeObject & Omit<OnWire<V>, keyof KubeObject>;

/** `namespace/name`, or `name` for cluster-wide types: the key of stores and queues. */
export function keyOf({ namespace, name }: ObjectRef): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The inverse of `keyOf`. */
export function refOf(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** A reference that lets the garbage collector delete the object with its owner, and `owner` be found by informers. */
export function ownedBy(owner: KubeObject): OwnerReference {
  const { apiVersion, kind } = owner;
  const { name, uid } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}
