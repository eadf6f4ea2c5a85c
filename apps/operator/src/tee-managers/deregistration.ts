import { dropFinalizer, keyOf } from '@glacis/kube';
import { descriptionOf } from './backend-input.js';
import { finalizer, wishes } from './tee-manager.js';
import { conditionFrom, no } from './verdict.js';
import { saveStatus, type Work } from './work.js';
import { stop } from './workload.js';

/** Milliseconds that the Pod of a deleted TeeManager has to end. */
const podEndMs = 60_000;
const maxPages = 20;

/** @returns milliseconds after which to come again; undefined: it is gone */
export async function deregister(work: Work): Promise<number | undefined> {
  const { manager } = work;
  if (!manager.metadata.finalizers?.includes(finalizer)) return undefined;
  if (manager.metadata.annotations?.[wishes.forceDelete] === 'true') {
    const note = `let go without a word to the suite; backend ${manager.status?.backendId ?? 'unknown'} may still be there`;
    work.tell({ type: 'Warning', reason: 'ForceDeleted', action: 'Deregister', note });
    await dropFinalizer(work.managers, manager, finalizer);
    return undefined;
  }
  const { conditions, ...rest } = manager.status ?? {};
  if (rest.phase !== 'Deleting') {
    await saveStatus(work, { ...rest, conditions, phase: 'Deleting' });
  }
  await stop(work, 'the TeeManager is being deleted');
  const left = podTimeLeft(work);
  if (left !== undefined) return left;
  await endBackend(work);
  await dropFinalizer(work.managers, work.manager, finalizer);
  return undefined;
}

/** Says why it takes so long. */
export async function tellDelay(work: Work, why: string): Promise<void> {
  const { conditions: before, ...rest } = work.manager.status ?? {};
  const message = `cannot deregister yet: ${why}; the annotation ${wishes.forceDelete}: "true" lets it go all the same`;
  const context = { before, generation: work.manager.metadata.generation ?? 0, now: work.now };
  const ready = conditionFrom('Ready', no('SuiteUnreachable', message), context);
  const others = (before ?? []).filter(({ type }) => type !== 'Ready');
  await saveStatus(work, { ...rest, phase: 'Deleting', conditions: [...others, ready] });
}

function podTimeLeft({ manager, cache, now }: Work): number | undefined {
  const { namespace, name, uid, deletionTimestamp = '' } = manager.metadata;
  const pod = cache.pods.get(keyOf({ namespace, name: `${name}-0` }));
  const set = cache.statefulSets.get(keyOf({ namespace, name }));
  const ours = set?.metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
  const left = Date.parse(deletionTimestamp) + podEndMs - now.getTime();
  return pod && ours && left > 0 ? left : undefined;
}

async function endBackend(work: Work): Promise<void> {
  const { manager, suite } = work;
  const id =
    manager.status?.backendId ??
    (await suite.findDescribed(descriptionOf(manager), manager.spec.backend.name.trim()))?.id;
  if (id === undefined) return;
  for (let page = 0; page < maxPages; page++) {
    const serials = await suite.validSerials(id);
    if (serials.length === 0) break;
    for (const serial of serials) await suite.revoke(serial, 'cessationOfOperation');
  }
  await suite.deleteBackend(id);
  work.memory.doubts.raise(id);
  work.tell({ reason: 'Deregistered', action: 'Deregister', note: `backend ${id} is deleted` });
}
