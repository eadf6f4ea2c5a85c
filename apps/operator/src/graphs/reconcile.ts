import { backoffMs, type BackoffOptions } from '@glacis/runtime';
import { courseOf } from './classify.js';
import { deploy, type Ending } from './deploy.js';
import { failedAttempts, leftovers, nextAttempt } from './recorded.js';
import { correctDrift, mendStanding } from './drift.js';
import { messageOf } from './failures.js';
import { againMs } from './probes.js';
import { saveStatus } from './status.js';
import { remove, stayUndeployed, undeploy } from './undeploy.js';
import type { Work } from './work.js';

/** Between failed attempts of a generation (4.1). */
export const attemptsBackoff: BackoffOptions = {
  initialMs: 5_000,
  factor: 2,
  maxMs: 300_000,
  jitter: 0.1,
};

/** Brings one graph nearer to what it asks for. @returns milliseconds after which to come again */
export async function reconcile(work: Work): Promise<number | undefined> {
  switch (courseOf(work.graph)) {
    case 'nothing':
      return undefined;
    case 'delete':
      return attempt(work, () => remove(work));
    case 'undeploy':
      return attempt(work, () => undeploy(work));
    case 'deploy':
      return attempt(
        work,
        () => deploy(work),
        () => mendStanding(work),
      );
    case 'keep':
    default:
      await (work.graph.spec.deploy === false ? stayUndeployed(work) : correctDrift(work));
      return nextLook(work);
  }
}

/** Until the next comparison; sooner where a flow is not known to be well. */
function nextLook({ graph, settings }: Work): number {
  const flows = graph.status?.flows ?? [];
  const isWell = flows.every(({ state }) => state === 'normal');
  return isWell ? settings.resyncMs : Math.min(againMs, settings.resyncMs);
}

/** One attempt, unless the one before failed a moment ago. @param between what is done until the next one is due */
async function attempt(
  work: Work,
  act: () => Promise<Ending>,
  between?: () => Promise<void>,
): Promise<number | undefined> {
  const { memory, id, graph } = work;
  const generation = graph.metadata.generation ?? 0;
  const due = memory.due.get(id.uid);
  const left = due && due.generation === generation ? due.at - work.now().getTime() : 0;
  if (left > 0) {
    await between?.();
    return left;
  }
  memory.due.delete(id.uid);
  const ending = await act().catch((error: unknown) => failUnexpectedly(work, error));
  if (ending === 'done') return nextLook(work);
  // What is newer waits in the queue already.
  if (ending === 'dropped') return 0;
  const delay = backoffMs(attemptsBackoff, Math.max(1, failedAttempts(work)));
  memory.due.set(id.uid, { generation, at: work.now().getTime() + delay });
  return delay;
}

/** No graph is left as if somebody still worked on it. */
async function failUnexpectedly(work: Work, error: unknown): Promise<Ending> {
  if (work.signal.aborted) throw error;
  if (work.outdated()) return 'dropped';
  const isDeletion = work.graph.metadata.deletionTimestamp !== undefined;
  await saveStatus(work, {
    phase: isDeletion ? 'Deleting' : 'Failed',
    ...(!isDeletion && { reason: 'GraphDeploymentError', observed: true }),
    heading: isDeletion
      ? 'The graph could not be taken down:'
      : 'The graph could not be brought there:',
    errors: [messageOf(error)],
    attempts: nextAttempt(work),
    leftovers: leftovers(work),
  });
  work.tell('DeployFailed', messageOf(error));
  return 'failed';
}
