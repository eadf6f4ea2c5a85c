import { LABELS, resources } from '@glacis/graphs';
import { builtIns, isKubeError, type KubeObject, type ResourceClient } from '@glacis/kube';
import { clientOf, type Work } from './work.js';

const annotation = 'glacis.dev/edges';

/**
 * Has the pods of a Namespace replaced, so that they see another preset: those of workloads by another template, others by
 * deletion. Done twice for a reason it replaces nothing more.
 * @param reason tells one preset from another
 */
export async function restartWorkloads(
  work: Work,
  namespace: string,
  reason: string,
): Promise<void> {
  const patch = { spec: { template: { metadata: { annotations: { [annotation]: reason } } } } };
  const roll = async (client: ResourceClient<KubeObject>): Promise<void> => {
    const { items } = await client.list({ namespace });
    for (const { metadata } of items) await unlessGone(client.patch(metadata, patch));
  };
  await roll(clientOf<KubeObject>(work, builtIns.deployments));
  await roll(clientOf<KubeObject>(work, builtIns.statefulSets));
  await roll(clientOf<KubeObject>(work, builtIns.daemonSets));
  await deleteOthers(work, namespace);
}

/** Pods that no template replaces; a Job makes another one, unless it is done. */
async function deleteOthers(work: Work, namespace: string): Promise<void> {
  const pods = clientOf(work, builtIns.pods);
  const { items } = await pods.list({ namespace });
  const since = await presetSince(work, namespace);
  const running = items.filter(({ status }) => !isOver(status?.phase));
  for (const { metadata } of running.filter((pod) => needsDeletion(pod, since))) {
    await unlessGone(pods.delete(metadata, { uid: metadata.uid }));
  }
}

const isOver = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed';

function needsDeletion({ metadata }: KubeObject, since: string | undefined): boolean {
  const { ownerReferences = [], labels = {}, creationTimestamp = '' } = metadata;
  const isRolled = ownerReferences.some(({ kind }) => rolledKinds.has(kind));
  const isNew = since !== undefined && creationTimestamp > since;
  return !isRolled && !isNew && !(LABELS.disableEdges in labels);
}

const rolledKinds = new Set(['ReplicaSet', 'StatefulSet', 'DaemonSet']);

/** When the preset was made that there is: helm makes it anew with each upgrade of `edges`. */
async function presetSince(work: Work, namespace: string): Promise<string | undefined> {
  const { items } = await clientOf<KubeObject>(work, resources.presets).list({ namespace });
  return items[0]?.metadata.creationTimestamp;
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isKubeError(error, 'notFound', 'conflict')) throw error;
  }
}
