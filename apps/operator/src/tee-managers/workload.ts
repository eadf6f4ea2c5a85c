import { isKubeError, keyOf, type KubeObject, type ResourceClient } from '@glacis/kube';
import { missingDevice, nodeSelectorOf } from './device-request.js';
import { serviceOf, statefulSetOf, type StatefulSet } from './manifests.js';
import { isRunning, podVerdict } from './pod-verdict.js';
import { no, type Verdict } from './verdict.js';
import type { Work } from './work.js';

export interface Running {
  verdict: Verdict;
  /** The container of the manager runs. */
  running: boolean;
}

/** Sees to it that the manager runs with this certificate. */
export async function run(work: Work, serial: string): Promise<Running> {
  const { manager, cache } = work;
  const { namespace, name } = manager.metadata;
  const there = cache.statefulSets.get(keyOf({ namespace, name }));
  const service = cache.services.get(keyOf({ namespace, name }));
  const foreign =
    (await foreignOf(work, work.statefulSets, there)) ??
    (await foreignOf(work, work.services, service));
  if (foreign) return { verdict: foreign, running: false };
  const { managerUrl, managerImage: image } = work.settings;
  const deviceOffered = await offersDevice(work, there);
  const workload = { replicas: 1, serial, image, managerUrl, deviceOffered } as const;
  try {
    await work.memory.applied.ensure(work.services, serviceOf(manager), service);
    await work.memory.applied.ensure(work.statefulSets, statefulSetOf(manager, workload), there);
  } catch (error) {
    if (!isKubeError(error, 'invalid', 'forbidden')) throw error;
    return { verdict: no('Refused', error.message), running: false };
  }
  const pod = cache.pods.get(keyOf({ namespace, name: `${name}-0` }));
  return { verdict: podVerdict({ pod, serial }), running: isRunning(pod) };
}

/** Stops the manager. What is not there is not made for it. */
export async function stop(work: Work, why: string): Promise<Running> {
  const { namespace, name, uid } = work.manager.metadata;
  const there = work.cache.statefulSets.get(keyOf({ namespace, name }));
  if (there && isOf(there, uid) && there.spec?.replicas !== 0) {
    await work.statefulSets.patch(there.metadata, {
      metadata: { uid: there.metadata.uid },
      spec: { replicas: 0 },
    });
    work.tell({ reason: 'Stopped', action: 'Stop', note: why });
  }
  return { verdict: no('Stopped', why), running: false };
}

/** Somebody else's object of our name: known by its owner, and asked for where the cache, which knows only ours, has none. */
async function foreignOf<T extends KubeObject>(
  { manager }: Work,
  client: ResourceClient<T>,
  cached: T | undefined,
): Promise<Verdict | undefined> {
  const object = cached ?? (await client.find(manager.metadata));
  if (!object || isOf(object, manager.metadata.uid)) return undefined;
  const { kind } = client.type;
  return no(
    'ObjectConflict',
    `a ${kind} ${manager.metadata.name} is there that is not of this TeeManager`,
  );
}

const isOf = ({ metadata }: KubeObject, uid: string): boolean =>
  (metadata.ownerReferences ?? []).some((owner) => owner.uid === uid);

/** A device that was requested stays so, as a plug-in that restarts must not move the Pod. */
async function offersDevice(
  { manager, nodes }: Work,
  there: StatefulSet | undefined,
): Promise<boolean> {
  const device = missingDevice(manager.spec);
  if (device === undefined) return false;
  const requests = there?.spec?.template.spec?.containers[0]?.resources?.requests ?? {};
  if (device in requests) return true;
  const selector = Object.entries(nodeSelectorOf(manager.spec));
  const labelSelector = selector.map(([key, value]) => `${key}=${value}`).join(',');
  const { items } = await nodes.list({ labelSelector });
  return items.some(({ status }) => device in (status?.allocatable ?? {}));
}
