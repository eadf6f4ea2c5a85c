import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyObject, AnyRef, ClusterObjects } from './cluster-objects.js';
import { HelmError } from './helm-error.js';
import type { ReleaseName } from './helm.js';

const everyMs = 500;

/**
 * Removes what an uninstall that timed out has left (graph-apps.md 4.10), and waits until it is gone. Objects that do not
 * carry helm's marks of this release are somebody else's and stay, as do those that its chart keeps.
 * @param refs from the manifest, read before the uninstall
 * @throws {HelmError} `timeout` naming what is left
 */
export async function removeLeftovers(
  objects: ClusterObjects,
  release: ReleaseName,
  refs: readonly AnyRef[],
  { deadlineMs, signal }: { deadlineMs: number; signal?: AbortSignal },
): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (let left = refs; ;) {
    const found = await Promise.all(left.map((ref) => leftover(objects, release, ref)));
    left = found.flatMap((each) => each ?? []);
    const [first] = left;
    if (first === undefined) return;
    if (performance.now() >= end) {
      throw new HelmError('timeout', `${first.kind} ${first.name} is still there`);
    }
    await sleep(everyMs, undefined, { signal });
  }
}

async function leftover(
  objects: ClusterObjects,
  release: ReleaseName,
  ref: AnyRef,
): Promise<AnyRef | undefined> {
  const object = await objects.find(ref);
  if (!object || !isOf(object, release)) return undefined;
  await objects.delete(ref, object);
  return ref;
}

function isOf({ metadata: { annotations = {} } }: AnyObject, of: ReleaseName): boolean {
  return (
    annotations['meta.helm.sh/release-name'] === of.release &&
    annotations['meta.helm.sh/release-namespace'] === of.namespace &&
    annotations['helm.sh/resource-policy'] !== 'keep'
  );
}
