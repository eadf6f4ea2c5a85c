import { claimName, FLOW_LABEL, LABELS, ownershipLabels, type Manifest } from '@glacis/graphs';
import { builtIns, isKubeError, keyOf, type KubeObject } from '@glacis/kube';
import { compareQuantities } from './quantity.js';
import type { Plan } from './plan.js';
import type { VolumeRecord } from './records.js';
import { clientOf, type Work } from './work.js';

interface Claim extends KubeObject {
  spec?: {
    volumeName?: string;
    storageClassName?: string;
    resources?: { requests?: { storage?: string } };
  };
  status?: { phase?: string };
}

/** What is wrong with a flow because of its claims. */
export type ClaimFaults = ReadonlyMap<string, string>;

const claimKind = 'PersistentVolumeClaim';

/** Claims as they are to be installed: with the size that they have, as that of one that is not bound cannot be changed. */
export function withCurrentSizes({ cache }: Work, objects: readonly Manifest[]): Manifest[] {
  return objects.map((object) => {
    if (object.kind !== claimKind) return object;
    const { namespace, name = '' } = object.metadata;
    const there = cache.find(claimKind, keyOf({ namespace, name }));
    const storage = sizeOf(there);
    if (storage === undefined) return object;
    return {
      ...object,
      spec: { ...(object['spec'] as object), resources: { requests: { storage } } },
    };
  });
}

const sizeOf = (claim: Claim | undefined): string | undefined =>
  claim?.spec?.resources?.requests?.storage;

/**
 * What a claim does not say itself: what becomes of its data, and a size that has grown (4.7).
 * @returns whether anything had to be done, and what cannot be done
 */
export async function ensureVolumes(
  work: Work,
  plan: Plan,
): Promise<{ changed: boolean; faults: ClaimFaults }> {
  const faults = new Map<string, string>();
  let changed = false;
  for (const { name: namespace, objects, place } of [...plan.flows, ...plan.components]) {
    const isFlow = 'flowType' in place;
    for (const wanted of objects.filter(({ kind }) => kind === claimKind)) {
      const key = keyOf({ namespace, name: wanted.metadata.name ?? '' });
      const claim = work.cache.find(claimKind, key);
      if (!claim) continue;
      const flow = flowOf(plan, claim);
      const fault = (await resize(work, claim, wanted)) ?? faultOf(claim);
      if (fault !== undefined && flow !== undefined) faults.set(flow, fault);
      const policy = isFlow ? policyOf(plan, flow) : 'Retain';
      if (await ensurePolicy(work, claim, policy)) changed = true;
    }
  }
  return { changed, faults };
}

function flowOf({ subject }: Plan, { metadata }: Claim): string | undefined {
  const names = Object.keys(subject.spec.flows);
  return names.find((name) => claimName(subject.graph, name) === metadata.name);
}

function policyOf({ subject }: Plan, flow = ''): string {
  const found = subject.spec.flows[flow];
  const mounted = found?.type === 'volume' || found?.type === 'repository';
  return (mounted ? found.config.reclaimPolicy : undefined) ?? 'Delete';
}

function faultOf({ metadata, status }: Claim): string | undefined {
  if (status?.phase === 'Lost') return `the claim ${metadata.name} has lost its volume`;
  if (metadata.deletionTimestamp === undefined) return undefined;
  return `the claim ${keyOf(metadata)} is being deleted and goes when no pod uses it`;
}

/** @returns why the size is not what is wanted */
async function resize(work: Work, claim: Claim, wanted: Manifest): Promise<string | undefined> {
  const [now, next] = [sizeOf(claim), sizeOf(wanted as unknown as Claim)];
  if (now === undefined || next === undefined || compareQuantities(now, next) === 0)
    return undefined;
  const { name } = claim.metadata;
  if (compareQuantities(next, now) < 0) {
    return `the claim ${name} has ${now} and cannot shrink to ${next}`;
  }
  return claim.status?.phase === 'Bound' ? grow(work, claim, { now, next }) : undefined;
}

async function grow(
  work: Work,
  { metadata, spec }: Claim,
  { now, next }: { now: string; next: string },
): Promise<string | undefined> {
  const className = spec?.storageClassName ?? '';
  const storageClass = await clientOf(work, builtIns.storageClasses).find({ name: className });
  if (storageClass?.allowVolumeExpansion !== true) {
    return `the storage class ${className} cannot expand the claim ${metadata.name} from ${now} to ${next}`;
  }
  const patch = { spec: { resources: { requests: { storage: next } } } };
  await clientOf(work, builtIns.persistentVolumeClaims).patch(metadata, patch);
  return undefined;
}

/** @returns whether it had to be changed */
async function ensurePolicy(work: Work, claim: Claim, policy: string): Promise<boolean> {
  const name = claim.spec?.volumeName;
  const volume = name === undefined ? undefined : work.cache.volumes.store.get(name);
  if (!volume || volume.claim?.namespace !== claim.metadata.namespace) return false;
  const labels = marksOf(work, claim);
  const marked = Object.entries(labels).every(
    ([key, value]) => volume.metadata.labels?.[key] === value,
  );
  if (marked && volume.policy === policy) return false;
  await patchVolume(work, volume, { labels, policy });
  return true;
}

function marksOf({ id }: Work, { metadata: { labels = {} } }: Claim): Record<string, string> {
  const kept = [LABELS.component, LABELS.flowType, FLOW_LABEL].flatMap((label) => {
    const value = labels[label];
    return value === undefined ? [] : [[label, value] as const];
  });
  return { ...ownershipLabels(id), ...Object.fromEntries(kept) };
}

async function patchVolume(
  work: Work,
  { metadata }: VolumeRecord,
  { labels, policy }: { labels: Record<string, string>; policy: string },
): Promise<void> {
  const client = clientOf(work, builtIns.persistentVolumes);
  try {
    await client.patch(metadata, {
      metadata: { uid: metadata.uid, labels },
      spec: { persistentVolumeReclaimPolicy: policy },
    });
  } catch (error) {
    if (!isKubeError(error, 'notFound')) throw error;
  }
}

/**
 * Sees to it that the data of a component's claims outlives them, as the API server says it now.
 * @throws {Error} when it does not
 */
export async function retainEdgeVolumes(work: Work, namespace: string): Promise<void> {
  const labelSelector = `${LABELS.graphUid}=${work.id.uid}`;
  const claims = clientOf(work, builtIns.persistentVolumeClaims);
  const volumes = clientOf(work, builtIns.persistentVolumes);
  const { items } = await claims.list({ namespace, labelSelector });
  for (const claim of items as Claim[]) {
    const name = claim.spec?.volumeName;
    const volume = name === undefined ? undefined : await volumes.find({ name });
    if (!volume || volume.spec?.persistentVolumeReclaimPolicy === 'Retain') continue;
    const patch = { spec: { persistentVolumeReclaimPolicy: 'Retain' } };
    const { metadata, spec } = await volumes.patch(volume.metadata, {
      metadata: { uid: volume.metadata.uid, labels: marksOf(work, claim) },
      ...patch,
    });
    if (spec?.persistentVolumeReclaimPolicy === 'Retain') continue;
    throw new Error(`the volume ${metadata.name} would go with its claim`);
  }
}

/** Volumes of component sides that nothing is bound to any more: deleted as objects, which leaves the data alone. */
export async function removeReleasedVolumes(work: Work): Promise<void> {
  const client = clientOf(work, builtIns.persistentVolumes);
  for (const { metadata, phase, policy } of work.cache.volumesOf(work.id.uid)) {
    const isComponent = metadata.labels?.[LABELS.component] !== undefined;
    if (!isComponent || phase !== 'Released' || policy !== 'Retain') continue;
    try {
      await client.delete(metadata, { uid: metadata.uid });
    } catch (error) {
      if (!isKubeError(error, 'notFound', 'conflict')) throw error;
    }
  }
}

/** Removes claims of flows that the graph no longer has; what becomes of their data their volumes say. @returns their names */
export async function removeUnusedClaims(work: Work, { flows }: Plan): Promise<string[]> {
  const client = clientOf(work, builtIns.persistentVolumeClaims);
  const labelSelector = `${LABELS.graphUid}=${work.id.uid}`;
  const removed: string[] = [];
  for (const { name: namespace, objects } of flows) {
    const wanted = new Set(objects.map(({ metadata }) => metadata.name));
    const { items } = await client.list({ namespace, labelSelector });
    for (const { metadata } of items.filter((each) => !wanted.has(each.metadata.name))) {
      await client.delete(metadata, { uid: metadata.uid });
      removed.push(metadata.name);
    }
  }
  return removed;
}
