import type { ComponentState, FlowState } from '@glacis/graphs';
import type { PodRecord, ReleaseState } from './records.js';

export interface Judgement<S> {
  state: S;
  message?: string;
}

export interface ComponentFacts {
  /** Of the release `component`. */
  release: ReleaseState | undefined;
  /** The release `edges` is there. */
  hasEdges: boolean;
  /** The graph is being worked on. */
  working: boolean;
  pods: readonly PodRecord[];
  now: Date;
  /** Milliseconds of a pod's life after which its trouble counts as lasting. */
  persistentAfterMs: number;
}

/** State of a component (4.3). */
export function componentState(facts: ComponentFacts): Judgement<ComponentState> {
  const { release, hasEdges, working } = facts;
  if (!release) {
    if (working) return { state: 'deploying' };
    return hasEdges
      ? { state: 'error', message: 'the release component is not there' }
      : { state: 'not_found' };
  }
  const state = releaseState(release, working);
  return state === 'normal' ? podState(facts, release) : { state, message: describe(release) };
}

/** State of the flows of a type, one answer for all of them, by their release. */
export function flowsState(
  release: ReleaseState | undefined,
  working: boolean,
): Judgement<FlowState> {
  if (!release) return { state: working ? 'deploying' : 'not_found' };
  return { state: releaseState(release, working), message: describe(release) };
}

function releaseState({ status }: ReleaseState, working: boolean): ComponentState {
  if (status === 'deployed') return 'normal';
  const isBeingMade = status === 'pending-install';
  const isBeingChanged = status.startsWith('pending-') || status === 'uninstalling';
  return isBeingMade || (isBeingChanged && working) ? 'deploying' : 'error';
}

const describe = ({ status, description }: ReleaseState): string =>
  description || `the release is ${status}`;

function podState(
  { pods, now, persistentAfterMs }: ComponentFacts,
  release: ReleaseState,
): Judgement<ComponentState> {
  const pod = pods.find(({ trouble }) => trouble !== undefined);
  if (!pod) return { state: 'normal', message: describe(release) };
  const age = now.getTime() - Date.parse(pod.metadata.creationTimestamp ?? now.toISOString());
  const state = age < persistentAfterMs ? 'transient_error' : 'persistent_error';
  return { state, message: `pod ${pod.metadata.name}: ${pod.trouble}` };
}
