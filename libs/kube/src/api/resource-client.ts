import type { ApiServer } from './api-server.js';
import { isKubeError, KubeError } from './kube-error.js';
import { mergePatch } from './merge-patch.js';
import type { Draft, KubeObject, ObjectRef } from './objects.js';
import { apiVersionOf, pathOf, type ResourceType } from './resource-type.js';
import { watchEvents, type WatchEvent } from './watch-events.js';

export interface Selection {
  /** Absent: all namespaces. */
  namespace?: string;
  /** As in the API: `app=web,tier!=cache`. */
  labelSelector?: string;
  fieldSelector?: string;
}

export interface List<T> {
  items: T[];
  /** The moment of the list; a watch goes on from there. */
  resourceVersion: string;
}

export interface ApplyOptions {
  /** Who owns the fields that are sent; those that it sent before and no longer sends are removed. */
  fieldManager: string;
  /** Takes fields over from other managers. Default true, as controllers should; false: `conflict`. */
  force?: boolean;
}

export interface WriteOptions {
  /** Checked and answered like a real write, admission included, but not stored. Default false. */
  dryRun?: boolean;
}

export interface DeleteOptions {
  /** Only the object with this uid, and not one of the same name made since. */
  uid?: string;
  /** Only if it has not changed since. */
  resourceVersion?: string;
  /** Default: what the type does by itself, for most `Background`. */
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  gracePeriodSeconds?: number;
}

export interface WatchOptions extends Selection {
  /** Tells of changes after this one. */
  resourceVersion: string;
  /** Seconds after which the server is asked to end the watch. */
  seconds: number;
  /** Called for each piece of data, whatever is in it. */
  onData: () => void;
  /** Ends it. */
  signal: AbortSignal;
}

/** Of RFC 6902, what is used of it. */
export type PatchOperation =
  { op: 'add' | 'replace' | 'test'; path: string; value: unknown } | { op: 'remove'; path: string };

const pageSize = 500;
const maxObjects = 100_000;

/** One resource of one API server, typed. Every call throws `KubeError` only, and has a time-out. */
export class ResourceClient<T extends KubeObject> {
  constructor(
    private readonly server: ApiServer,
    readonly type: ResourceType<T>,
  ) {}

  /** @throws {KubeError} notFound */
  async get(ref: ObjectRef): Promise<T> {
    return this.typed(await this.server.call({ method: 'GET', path: this.path(ref) }));
  }

  /** The object, or undefined where there is none. */
  async find(ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.get(ref);
    } catch (error) {
      if (isKubeError(error, 'notFound')) return undefined;
      throw error;
    }
  }

  /**
   * All objects as of one moment, read in pages of 500. If the moment grows too old between pages it starts again,
   * once.
   * @param part what is kept of each object; the rest of a page goes before the next one is read. Default: all of it
   * @throws {KubeError} invalid for more than 100,000 objects
   */
  async list<P = T>(
    selection: Selection = {},
    part: (object: T) => P = (object) => object as unknown as P,
  ): Promise<List<P>> {
    try {
      return await this.pages(selection, part);
    } catch (error) {
      if (!isKubeError(error, 'gone')) throw error;
      return this.pages(selection, part);
    }
  }

  /** @throws {KubeError} alreadyExists */
  async create(object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const path = `${pathOf(this.type, this.namespaceOf(object.metadata))}${writeQuery(options)}`;
    return this.typed(await this.server.call({ method: 'POST', path, body: this.named(object) }));
  }

  /** Writes the whole object. @throws {KubeError} conflict when it has changed since `object` was read */
  async replace(object: T, options: WriteOptions = {}): Promise<T> {
    const path = `${this.path(object.metadata)}${writeQuery(options)}`;
    return this.typed(await this.server.call({ method: 'PUT', path, body: this.named(object) }));
  }

  /** Server-side apply: makes the object, or brings the fields of this manager to what is sent. */
  async apply(object: Draft<T>, options: ApplyOptions): Promise<T> {
    const { fieldManager, force = true } = options;
    const query = new URLSearchParams({ fieldManager, force: String(force) }).toString();
    return this.typed(
      await this.server.call({
        method: 'PATCH',
        path: `${this.path(object.metadata)}?${query}`,
        body: this.named(object),
        contentType: 'application/apply-patch+yaml',
      }),
    );
  }

  /** JSON merge patch (RFC 7396): null removes a member. With a `resourceVersion` in it, only if nothing has changed. */
  async patch(ref: ObjectRef, patch: object, subresource?: 'status'): Promise<T> {
    const path = subresource === undefined ? this.path(ref) : `${this.path(ref)}/${subresource}`;
    const contentType = 'application/merge-patch+json';
    return this.typed(await this.server.call({ method: 'PATCH', path, body: patch, contentType }));
  }

  /**
   * JSON patch (RFC 6902): all of its operations, or none.
   * @throws {KubeError} conflict when one of its `test` operations does not hold, or a path is not there
   */
  async jsonPatch(ref: ObjectRef, operations: readonly PatchOperation[]): Promise<T> {
    const contentType = 'application/json-patch+json';
    const call = { method: 'PATCH', path: this.path(ref), body: operations, contentType } as const;
    try {
      return this.typed(await this.server.call(call));
    } catch (error) {
      if (!isKubeError(error, 'invalid') || error.status !== 422) throw error;
      throw new KubeError('conflict', error.message, { status: 422, cause: error });
    }
  }

  /**
   * Brings the status to `status`: members that are absent are removed. Without a difference nothing is sent and
   * `object` comes back.
   * @param object as it was last read
   * @throws {KubeError} conflict when it has changed since
   */
  async updateStatus<S extends object>(object: T & { status?: S }, status: S): Promise<T> {
    const change = mergePatch(object.status, status);
    if (change === undefined) return object;
    const { resourceVersion } = object.metadata;
    return this.patch(object.metadata, { metadata: { resourceVersion }, status: change }, 'status');
  }

  /** Resolves when the deletion is accepted; finalizers may hold the object for longer. @throws {KubeError} notFound */
  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, ...rest } = options;
    const preconditions = { uid, resourceVersion };
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions, ...rest };
    await this.server.call({ method: 'DELETE', path: this.path(ref), body });
  }

  /** The changes after a moment, in their order, until the server ends the watch. @throws {KubeError} gone */
  async *watch(options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const query = queryOf(options, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: options.resourceVersion,
      timeoutSeconds: String(options.seconds),
    });
    const path = `${pathOf(this.type, options.namespace)}?${query}`;
    const answer = await this.server.stream(path, options.signal);
    for await (const event of watchEvents<T>(answer, options.onData)) {
      yield { type: event.type, object: this.typed(event.object) };
    }
  }

  private async pages<P>(selection: Selection, part: (object: T) => P): Promise<List<P>> {
    const items: P[] = [];
    for (let next = ''; ;) {
      const query = queryOf(selection, {
        limit: String(pageSize),
        ...(next && { continue: next }),
      });
      const path = `${pathOf(this.type, selection.namespace)}?${query}`;
      const page = (await this.server.call({ method: 'GET', path })) as Page;
      items.push(...(page.items ?? []).map((item) => part(this.typed(item))));
      if (items.length > maxObjects) throw new KubeError('invalid', `over ${maxObjects} objects`);
      next = page.metadata.continue ?? '';
      if (next === '') return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }

  private path(ref: ObjectRef): string {
    return `${pathOf(this.type, this.namespaceOf(ref))}/${encodeURIComponent(ref.name)}`;
  }

  private namespaceOf({ namespace }: { namespace?: string }): string | undefined {
    return this.type.namespaced ? (namespace ?? this.server.namespace) : undefined;
  }

  private named(object: Draft<T> | T): object {
    return { ...object, ...this.names };
  }

  /** Items of lists come without kind and version. */
  private typed(object: unknown): T {
    return { ...(object as T), ...this.names };
  }

  private get names(): { apiVersion: string; kind: string } {
    return { apiVersion: apiVersionOf(this.type), kind: this.type.kind };
  }
}

const writeQuery = ({ dryRun = false }: WriteOptions): string => (dryRun ? '?dryRun=All' : '');

interface Page {
  items?: unknown[];
  metadata: { resourceVersion: string; continue?: string };
}

function queryOf(selection: Selection, rest: Record<string, string>): string {
  const { labelSelector, fieldSelector } = selection;
  const selectors = {
    ...(labelSelector && { labelSelector }),
    ...(fieldSelector && { fieldSelector }),
  };
  return new URLSearchParams({ ...selectors, ...rest }).toString();
}
