import { LABELS, resources, type MountedType } from '@glacis/graphs';
import { builtIns, isKubeError, keyOf, type KubeObject, type ResourceType } from '@glacis/kube';
import { waitFor } from '@glacis/runtime';
import {
  ClusterObjects,
  HelmError,
  objectsOf,
  removeLeftovers,
  type Release,
} from './helm/index.js';
import { isEnding, namespaceGone, removeNamespace } from './namespaces.js';
import { namesIn, notes } from './plan.js';
import { releaseAnnotation } from './records.js';
import { liveReleases } from './releases.js';
import { renderedTypes } from './manifest-types.js';
import { retainEdgeVolumes } from './volumes.js';
import { clientOf, type Namespace, type Work } from './work.js';

// Everything here goes by what is recorded in the cluster: labels and releases. No chart and no spec is asked.

/** Namespaces of a graph, by their labels. */
export function ownNamespaces({ namespaces, id }: Pick<Work, 'namespaces' | 'id'>): Namespace[] {
  return namespaces.by('graph', id.uid);
}

export const componentOfNamespace = ({ metadata }: Namespace): string | undefined =>
  metadata.labels?.[LABELS.component];

export const flowTypeOf = ({ metadata }: Namespace): MountedType | undefined =>
  metadata.labels?.[LABELS.flowType] as MountedType | undefined;

/** Namespaces of components, those first that others do not need. */
export function dependantsFirst(places: readonly Namespace[]): Namespace[][] {
  const rounds: Namespace[][] = [];
  let left = [...places];
  while (left.length > 0) {
    const needed = new Set(left.flatMap(needsOf));
    const free = left.filter((place) => !needed.has(componentOfNamespace(place) ?? ''));
    // Marks that were edited into a circle hold nobody up.
    const round = free.length > 0 ? free : left;
    rounds.push(round);
    left = left.filter((place) => !round.includes(place));
  }
  return rounds;
}

const needsOf = (place: Namespace): string[] => namesIn(place, notes.needs);

/** Milliseconds for what helm has left. */
const leftoversMs = 60_000;

const componentReleases = ['auth-aux', 'component', 'edges'];

export interface Removal {
  /** Also with claims in it that others have made. */
  whole: boolean;
}

/**
 * Takes a component down: its releases, its preset, its Namespace.
 * @returns why the Namespace was kept, if it was
 */
export async function removeComponent(
  work: Work,
  place: Namespace,
  { whole }: Removal,
): Promise<string | undefined> {
  const namespace = place.metadata.name;
  if (isEnding(place)) {
    await namespaceGone(work, namespace);
    return undefined;
  }
  await retainEdgeVolumes(work, namespace);
  await uninstall(work, namespace, componentReleases);
  await removeAll(work, namespace, resources.presets);
  const foreign = whole ? [] : await foreignClaims(work, namespace);
  if (foreign.length === 0) {
    await removeNamespace(work, place);
    return undefined;
  }
  for (const type of forgottenTypes) await removeForgotten(work, namespace, type);
  return `the Namespace ${namespace} is kept: it holds the claims ${foreign.join(', ')}`;
}

/** Takes the flows of one type down, with their data as their volumes say. */
export async function removeFlows(work: Work, place: Namespace): Promise<void> {
  const { name } = place.metadata;
  if (isEnding(place)) return namespaceGone(work, name);
  await uninstall(work, name, [`flows-${flowTypeOf(place)}`]);
  await removeNamespace(work, place);
}

/** No pod serves the flows; the data stays. */
export async function stopFlows(work: Work, place: Namespace): Promise<void> {
  const client = clientOf(work, builtIns.deployments);
  const labelSelector = `${LABELS.graphUid}=${work.id.uid}`;
  const { items } = await client.list({ namespace: place.metadata.name, labelSelector });
  for (const { metadata, spec } of items) {
    if (spec?.replicas !== 0) await client.patch(metadata, { spec: { replicas: 0 } });
  }
}

/** Removes releases, in their order. */
export async function uninstall(
  work: Work,
  namespace: string,
  names: readonly string[],
): Promise<void> {
  const there = await liveReleases(work, namespace);
  for (const name of names) {
    const release = there.find((each) => each.name === name);
    if (release) await removeRelease(work, release);
  }
}

/** With what helm was too slow for, of whatever kind and in no Namespace, too. */
async function removeRelease(work: Work, release: Release): Promise<void> {
  const { name, namespace } = release;
  try {
    await work.helm.uninstall({ namespace, release: name });
  } catch (error) {
    if (!(error instanceof HelmError) || error.code !== 'timeout') throw error;
    const objects = objectsOf(release.details()?.manifest ?? '', namespace);
    const { server, signal } = work;
    const limits = { deadlineMs: leftoversMs, signal };
    await removeLeftovers(
      new ClusterObjects(server),
      { release: name, namespace },
      objects,
      limits,
    );
  }
}

const forgottenTypes: readonly ResourceType[] = [
  ...renderedTypes.filter(({ kind }) => kind !== 'MutationPreset'),
  builtIns.statefulSets,
  builtIns.daemonSets,
];

/** Of a release whose removal took too long helm knows nothing any more, although objects of it remain. */
async function removeForgotten(work: Work, namespace: string, type: ResourceType): Promise<void> {
  const selection = { namespace, labelSelector: 'app.kubernetes.io/managed-by=Helm' };
  const client = clientOf<KubeObject>(work, type);
  const forgotten = async (): Promise<KubeObject[]> => {
    const { items } = await client.list(selection);
    return items.filter(({ metadata }) => {
      const { annotations = {} } = metadata;
      const isKept = annotations['helm.sh/resource-policy'] === 'keep';
      return !isKept && annotations[releaseAnnotation] !== undefined;
    });
  };
  const left = await forgotten();
  if (left.length === 0) return;
  for (const { metadata } of left) {
    await unlessGone(
      client.delete(metadata, { uid: metadata.uid, propagationPolicy: 'Foreground' }),
    );
  }
  await waitFor(async () => work.signal.aborted || (await forgotten()).length === 0, {
    deadlineMs: leftoversMs,
    everyMs: 500,
    what: `the end of ${type.plural} in ${namespace}`,
  });
  work.signal.throwIfAborted();
}

async function removeAll(work: Work, namespace: string, type: ResourceType): Promise<void> {
  const client = clientOf<KubeObject>(work, type);
  const { items } = await client.list({ namespace });
  for (const { metadata } of items)
    await unlessGone(client.delete(metadata, { uid: metadata.uid }));
}

/** Claims that neither the operator nor a release has made. */
async function foreignClaims(work: Work, namespace: string): Promise<string[]> {
  const { items } = await clientOf(work, builtIns.persistentVolumeClaims).list({ namespace });
  return items
    .filter(({ metadata }) => metadata.labels?.[LABELS.graphUid] !== work.id.uid)
    .map(({ metadata }) => keyOf(metadata));
}

async function unlessGone(deletion: Promise<void>): Promise<void> {
  try {
    await deletion;
  } catch (error) {
    if (!isKubeError(error, 'notFound', 'conflict')) throw error;
  }
}
