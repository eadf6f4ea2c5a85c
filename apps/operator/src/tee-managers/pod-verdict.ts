import type { Pod } from './manifests.js';
import { notes } from './tee-manager.js';
import { no, yes, type Verdict } from './verdict.js';

export interface PodFacts {
  pod: Pod | undefined;
  /** Of the certificate that it is to run with. */
  serial: string;
}

/** Whether the manager runs in its Pod, and if not, why, in the words of those who tried. */
export function podVerdict({ pod, serial }: PodFacts): Verdict {
  if (!pod) return no('Missing', 'there is no Pod yet; `kubectl describe statefulset` says why');
  const { deletionTimestamp, annotations } = pod.metadata;
  if (deletionTimestamp !== undefined) return no('Stopping', 'the Pod is stopping');
  if (annotations?.[notes.serial] !== serial) {
    return no('Restarting', 'the Pod of the former certificate is being replaced');
  }
  if (condition(pod, 'Ready')?.status === 'True') return yes('Ready', 'the Pod is ready');
  return unscheduled(pod) ?? waiting(pod) ?? notReady(pod);
}

/** Its container has been started, whatever it is good for. */
export function isRunning(pod: Pod | undefined): boolean {
  return containerOf(pod)?.state?.running !== undefined;
}

function unscheduled(pod: Pod): Verdict | undefined {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  const { reason = 'Unschedulable', message = 'no node takes the Pod' } = scheduled;
  return no(reason, message);
}

function waiting(pod: Pod): Verdict | undefined {
  const state = containerOf(pod)?.state?.waiting;
  if (!state) return undefined;
  const { reason = 'Waiting', message = 'the container is not running' } = state;
  return no(reason, withLastEnd(message, pod));
}

function notReady(pod: Pod): Verdict {
  return isRunning(pod)
    ? no('NotReady', 'the manager runs and has no stream to the suite')
    : no('Starting', withLastEnd('the Pod is starting', pod));
}

function withLastEnd(message: string, pod: Pod): string {
  const { state, lastState } = containerOf(pod) ?? {};
  const last = lastState?.terminated ?? state?.terminated;
  if (!last) return message;
  return `${message}; the manager ended with ${last.exitCode} (${last.reason ?? 'no reason'})`;
}

type Status = NonNullable<Pod['status']>;

const containerOf = (
  pod: Pod | undefined,
): NonNullable<Status['containerStatuses']>[number] | undefined =>
  pod?.status?.containerStatuses?.[0];

const condition = (pod: Pod, type: string): NonNullable<Status['conditions']>[number] | undefined =>
  pod.status?.conditions?.find((each) => each.type === type);
