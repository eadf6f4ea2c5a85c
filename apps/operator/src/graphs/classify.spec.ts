import type { GraphPhase, RampartGraph } from '@glacis/graphs';
import { courseOf } from './classify.js';

function graph(
  deploy: boolean | undefined,
  phase?: GraphPhase,
  observedGeneration = 2,
): RampartGraph {
  return {
    apiVersion: 'rampart.petuum.com/v1beta2',
    kind: 'RampartGraph',
    metadata: { name: 'g', namespace: 'ns', uid: 'u', resourceVersion: '1', generation: 2 },
    spec: { graph: { components: {}, flows: {} }, deploy },
    ...(phase && { status: { phase, observedGeneration } }),
  };
}

function going(finalizers: string[]): RampartGraph {
  const object = graph(true, 'Deployed');
  const deletionTimestamp = '2026-11-22T00:00:00Z';
  return { ...object, metadata: { ...object.metadata, deletionTimestamp, finalizers } };
}

test.each([
  ['never seen', graph(true), 'deploy'],
  ['never seen, deploy absent', graph(undefined), 'deploy'],
  ['finished', graph(true, 'Deployed'), 'keep'],
  ['a newer generation', graph(true, 'Deployed', 1), 'deploy'],
  ['killed in the middle', graph(true, 'Deploying', 1), 'deploy'],
  ['failed', graph(true, 'Failed'), 'deploy'],
  ['turned on by an annotation alone', graph(true, 'Undeployed'), 'deploy'],
  ['turned off by an annotation alone', graph(false, 'Deployed'), 'undeploy'],
  ['off before it ever was on', graph(false), 'undeploy'],
  ['killed while it was taken down', graph(false, 'Undeploying', 1), 'undeploy'],
  ['failed to be taken down', graph(false, 'Failed'), 'undeploy'],
  ['taken down', graph(false, 'Undeployed'), 'keep'],
  ['deleted', going(['other', 'rampart.petuum.com/graph']), 'delete'],
  ['deleted, and no longer ours', going(['other']), 'nothing'],
])('graph-apps.md 4.2: %s', (_, object, course) => {
  expect(courseOf(object)).toBe(course);
});
