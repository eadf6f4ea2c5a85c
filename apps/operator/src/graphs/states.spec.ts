import type { PodRecord, ReleaseRecord } from './records.js';
import { componentState, flowsState, type ComponentFacts } from './states.js';

const metadata = { name: 'x', uid: 'u', resourceVersion: '1' };
const now = new Date('2026-11-22T00:20:00Z');

const release = (status: string): ReleaseRecord => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata,
  release: 'component',
  revision: 1,
  status,
  description: 'Install complete',
  chart: 'c',
  version: '1.0.0',
  objects: [],
});

const pod = (trouble: string | undefined, creationTimestamp: string): PodRecord => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, name: 'p', creationTimestamp },
  ...(trouble !== undefined && { trouble }),
});

const [young, old] = ['2026-11-22T00:19:00Z', '2026-11-22T00:00:00Z'];

const state = (facts: Partial<ComponentFacts>): ReturnType<typeof componentState> =>
  componentState({
    release: undefined,
    hasEdges: false,
    working: false,
    pods: [],
    now,
    persistentAfterMs: 600_000,
    ...facts,
  });

test.each([
  ['nothing', {}, 'not_found'],
  ['nothing, under work', { working: true }, 'deploying'],
  ['only edges, after work', { hasEdges: true }, 'error'],
  ['pending-install', { release: release('pending-install') }, 'deploying'],
  [
    'pending-upgrade under work',
    { release: release('pending-upgrade'), working: true },
    'deploying',
  ],
  ['pending-upgrade abandoned', { release: release('pending-upgrade') }, 'error'],
  ['uninstalling under work', { release: release('uninstalling'), working: true }, 'deploying'],
  ['failed', { release: release('failed'), working: true }, 'error'],
  ['unreadable', { release: release('unreadable') }, 'error'],
  ['deployed', { release: release('deployed'), pods: [pod(undefined, old)] }, 'normal'],
  [
    'young pod that waits',
    { release: release('deployed'), pods: [pod('CrashLoopBackOff', young)] },
    'transient_error',
  ],
  [
    'old pod that waits',
    { release: release('deployed'), pods: [pod('Unschedulable: x', old)] },
    'persistent_error',
  ],
])('graph-apps.md 4.3: a component with %s', (_, facts, expected) => {
  expect(state(facts).state).toBe(expected);
});

test('graph-apps.md 4.3: the message names pod and reason, else the release', () => {
  const pods = [pod(undefined, old), pod('ImagePullBackOff', young)];
  expect(state({ release: release('deployed'), pods }).message).toBe('pod p: ImagePullBackOff');
  expect(state({ release: release('deployed') }).message).toBe('Install complete');
});

test('graph-apps.md 4.3: volume flows have the state of their release', () => {
  expect(flowsState(undefined, false).state).toBe('not_found');
  expect(flowsState(release('deployed'), false).state).toBe('normal');
  expect(flowsState(release('failed'), true).state).toBe('error');
});
