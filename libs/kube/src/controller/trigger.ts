import { keyOf, type KubeObject } from '../api/objects.js';
import type { ResourceType } from '../api/resource-type.js';
import type { Informer } from '../informer/informer.js';

/** What makes a controller look at a key: a change seen by an informer. */
export interface Trigger {
  readonly synced: Promise<void>;
  /** @returns ends it */
  connect(add: (key: string) => void): () => void;
}

/**
 * @param keysOf the keys to reconcile when this object has changed, was there before, or is no more; asked of the old and
 *   the new object. Default: its own
 */
export function trigger<T extends KubeObject>(
  informer: Informer<T>,
  keysOf: (object: T) => readonly string[] = ({ metadata }) => [keyOf(metadata)],
): Trigger {
  return {
    synced: informer.synced,
    connect: (add) =>
      informer.subscribe(({ old, new: now }) => {
        for (const object of [old, now]) if (object) keysOf(object).forEach(add);
      }),
  };
}

/** What a controller is to look at for other reasons than a change of an object: the events of another service, say. */
export class News implements Trigger {
  readonly synced: Promise<void> = Promise.resolve();
  private readonly listeners = new Set<(key: string) => void>();

  connect(add: (key: string) => void): () => void {
    this.listeners.add(add);
    return () => void this.listeners.delete(add);
  }

  /** Between terms nobody listens: each begins with every object. */
  tell(key: string): void {
    for (const add of this.listeners) add(key);
  }
}

/** For `trigger`: the key of the controlling owner, if it is of this type. */
export function controllerKey(type: ResourceType): (object: KubeObject) => string[] {
  return ({ metadata }) =>
    (metadata.ownerReferences ?? [])
      .filter(
        ({ controller, kind, apiVersion }) =>
          controller === true && kind === type.kind && groupOf(apiVersion) === type.group,
      )
      .map(({ name }) => keyOf({ namespace: metadata.namespace, name }));
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
