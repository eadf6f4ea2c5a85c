import { isKubeError } from '../api/kube-error.js';
import type { KubeObject } from '../api/objects.js';
import type { ResourceClient } from '../api/resource-client.js';

/**
 * Has the object kept after its deletion until the finalizer is dropped. Without effect where it is there, or too late.
 * @returns the object as it is now
 * @throws {KubeError} conflict when the object has changed since it was read
 */
export async function addFinalizer<T extends KubeObject>(
  client: ResourceClient<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  if (finalizers.includes(finalizer) || deletionTimestamp !== undefined) return object;
  return write(client, object, [...finalizers, finalizer]);
}

/**
 * Lets the object go. One that is gone already counts as done.
 * @throws {KubeError} conflict when the object has changed since it was read
 */
export async function dropFinalizer<T extends KubeObject>(
  client: ResourceClient<T>,
  object: T,
  finalizer: string,
): Promise<void> {
  const { finalizers = [] } = object.metadata;
  if (!finalizers.includes(finalizer)) return;
  try {
    await write(
      client,
      object,
      finalizers.filter((name) => name !== finalizer),
    );
  } catch (error) {
    if (!isKubeError(error, 'notFound')) throw error;
  }
}

function write<T extends KubeObject>(
  client: ResourceClient<T>,
  { metadata }: T,
  finalizers: string[],
): Promise<T> {
  const { uid, resourceVersion } = metadata;
  return client.patch(metadata, { metadata: { uid, resourceVersion, finalizers } });
}
