import { LABELS, type Finding, type Manifest } from '@glacis/graphs';
import { builtIns, isKubeError } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import { Breach } from './failures.js';
import { clientOf, type Namespace, type Work } from './work.js';

/** Milliseconds that a Namespace may take to end. */
const endingMs = 60_000;

/**
 * Makes a Namespace of this graph, or brings its marks back. Its creation is the claim that settles whose it is.
 * @returns whether anything had to be done
 * @throws {Breach} NAMESPACE_EXISTS when it is somebody else's, which is left alone
 * @throws {Error} when one that ends does not end in time
 */
export async function ensureNamespace(work: Work, manifest: Manifest): Promise<boolean> {
  const name = manifest.metadata.name ?? '';
  const cached = work.namespaces.get(name);
  if (cached && isOurs(work, cached) && !isEnding(cached)) {
    return work.memory.applied.ensure(work.server, manifest, cached);
  }
  const client = clientOf(work, builtIns.namespaces);
  try {
    await client.create({ ...manifest, metadata: { ...manifest.metadata, name } });
    work.made.add(name);
    return true;
  } catch (error) {
    // One that ends gives the same answer as one that stays.
    if (!isKubeError(error, 'alreadyExists')) throw error;
  }
  const there = await client.find({ name });
  if (!there) throw new Error(`the Namespace ${name} came and went`);
  if (!isEnding(there)) {
    if (!isOurs(work, there)) throw new Breach([namespaceExists(name)]);
    return work.memory.applied.ensure(work.server, manifest, there);
  }
  await namespaceGone(work, name);
  return ensureNamespace(work, manifest);
}

export const isOurs = ({ id }: Pick<Work, 'id'>, { metadata }: Namespace): boolean =>
  metadata.labels?.[LABELS.graphUid] === id.uid;

export const isEnding = ({ metadata }: Namespace): boolean =>
  metadata.deletionTimestamp !== undefined;

/** @throws {Error} when it is still there after a minute */
export async function namespaceGone(work: Work, name: string): Promise<void> {
  const client = clientOf(work, builtIns.namespaces);
  await waitFor(async () => work.signal.aborted || (await client.find({ name })) === undefined, {
    deadlineMs: endingMs,
    everyMs: 500,
    what: `the end of the Namespace ${name}`,
  });
  work.signal.throwIfAborted();
}

/** Deletes it, if it is still the one that was looked at, and waits until it is gone. */
export async function removeNamespace(work: Work, { metadata }: Namespace): Promise<void> {
  const client = clientOf(work, builtIns.namespaces);
  try {
    await client.delete(metadata, { uid: metadata.uid });
  } catch (error) {
    if (!isKubeError(error, 'notFound', 'conflict')) throw error;
  }
  await namespaceGone(work, metadata.name);
  work.memory.applied.forget(metadata.name);
}

const namespaceExists = (name: string): Finding => ({
  code: 'NAMESPACE_EXISTS',
  path: '/graph',
  message: `the Namespace ${name} is there already and not of this graph`,
});
