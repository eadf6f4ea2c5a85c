import type { Manifest } from '@glacis/graphs';
import { builtIns } from '@glacis/kube';
import { isDeepStrictEqual } from 'node:util';
import type { PlannedPlace } from './plan.js';
import { clientOf, type Work } from './work.js';

/** The graph's Namespace lacks a Secret that a flow names, or one of that name is there that is not ours. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/**
 * Brings copies of Secrets into a place as they are at their source now, and removes those that are no longer used (4.4).
 * @returns whether anything had to be done
 * @throws {SecretError}
 */
export async function ensureSecretCopies(
  work: Work,
  { name: namespace, secrets, namespace: place }: PlannedPlace,
): Promise<boolean> {
  if (secrets.length === 0 && !hasCopies(work, namespace)) return false;
  let changed = await removeUnused(work, namespace, new Set(secrets));
  for (const name of secrets) {
    const copy = await copyOf(work, place, name);
    if (await ensureCopy(work, copy)) changed = true;
  }
  return changed;
}

/** The source as it is now, as it is to be in the place. */
async function copyOf(work: Work, place: Manifest, name: string): Promise<Copy> {
  const { namespace } = work.id;
  const source = await clientOf(work, builtIns.secrets).find({ namespace, name });
  if (!source) throw new SecretError(`there is no Secret ${name} in ${namespace}`);
  const labels = { ...place.metadata.labels, [copyLabel]: 'true' };
  const { type, data = {} } = source;
  const metadata = { namespace: place.metadata.name ?? '', name, labels };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type, data };
}

type Copy = Manifest & { metadata: { namespace: string; name: string }; data: object };

async function ensureCopy(work: Work, copy: Copy): Promise<boolean> {
  const { namespace, name } = copy.metadata;
  const there = await clientOf(work, builtIns.secrets).find({ namespace, name });
  if (there && there.metadata.labels?.[copyLabel] !== 'true') {
    throw new SecretError(`a Secret ${name} is in ${namespace} that is not of this graph`);
  }
  if (there && isDeepStrictEqual(there.data ?? {}, copy.data)) return false;
  return work.memory.applied.ensure(work.server, copy, there);
}

/** On copies: they are ours to change and to remove. */
const copyLabel = 'glacis.dev/copy';

const hasCopies = (work: Work, namespace: string): boolean => copiesIn(work, namespace).length > 0;

function copiesIn({ cache }: Work, namespace: string): { name: string; uid: string }[] {
  return cache
    .secretsIn(namespace)
    .map(({ metadata }) => metadata)
    .filter((each) => each.labels?.[copyLabel] === 'true');
}

async function removeUnused(
  work: Work,
  namespace: string,
  used: ReadonlySet<string>,
): Promise<boolean> {
  const unused = copiesIn(work, namespace).filter(({ name }) => !used.has(name));
  const client = clientOf(work, builtIns.secrets);
  for (const { name, uid } of unused) await client.delete({ namespace, name }, { uid });
  return unused.length > 0;
}
