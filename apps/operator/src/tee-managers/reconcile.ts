import { addFinalizer } from '@glacis/kube';
import { isRefusal, isUnavailable } from '../suite/suite-error.js';
import { deregister, tellDelay } from './deregistration.js';
import { refusalMs } from './refusals.js';
import { takeSteps } from './steps.js';
import { summarise, untilNotConnected } from './summary.js';
import { tellChanges } from './tell-changes.js';
import { finalizer, type TeeManagerStatus } from './tee-manager.js';
import { saveStatus, type Work } from './work.js';

/** Milliseconds after which everything is looked at again, whatever was heard (`backends.md` 15, rule 6). */
export const lookAgainMs = 60_000;

/** Brings one TeeManager nearer to what it asks for. @returns milliseconds after which to come again */
export async function reconcile(work: Work): Promise<number | undefined> {
  if (work.manager.metadata.deletionTimestamp !== undefined) return end(work);
  work.manager = await addFinalizer(work.managers, work.manager, finalizer);
  const before = work.manager.status;
  const { findings, renewAt, failure } = await takeSteps(work);
  const generation = work.manager.metadata.generation ?? 0;
  const status = summarise(findings, { before, generation, now: work.now });
  await saveStatus(work, status);
  tellChanges(work, before, status);
  if (failure !== undefined) throw failure;
  return nextLook(work, status, renewAt);
}

async function end(work: Work): Promise<number | undefined> {
  try {
    return await deregister(work);
  } catch (error) {
    if (isUnavailable(error) || isRefusal(error)) await tellDelay(work, error.message);
    throw error;
  }
}

function nextLook({ now }: Work, status: TeeManagerStatus, renewAt: Date | undefined): number {
  const slow = status.phase === 'Failed' && status.backendId === undefined;
  const due = renewAt && renewAt.getTime() - now.getTime();
  const times = [slow ? refusalMs : lookAgainMs, due, untilNotConnected(status, now)];
  return Math.min(...times.filter((ms): ms is number => ms !== undefined && ms > 0));
}
