// Graphs from kubectl apply to Ready, edits, and their end: a real API server and helm, volumes, and simulated nodes.
import { jest } from '@jest/globals';
import { GraphWorld } from './graph-world.js';

// The first run on a machine builds Kubernetes.
jest.setTimeout(3_600_000);

let world: GraphWorld;

beforeAll(async () => {
  world = await GraphWorld.open();
});
afterAll(() => world?.close());

test('graph-apps.md 4.2: a graph of one component from kubectl apply to Ready', async () => {
  await world.apply('one', { components: { a: {} } });
  const { status } = await world.ready('one');
  expect(status).toMatchObject({
    phase: 'Deployed',
    observedGeneration: 1,
    componentNamespaces: ['default-one-a'],
    endpointPaths: '{"a":[]}',
    components: [
      {
        name: 'a',
        namespace: 'default-one-a',
        state: 'normal',
        releases: [
          { name: 'edges', revision: 1, status: 'deployed', chart: 'one_edges_helm' },
          { name: 'component', revision: 1, status: 'deployed', chart: 'worker', version: '1.0.0' },
        ],
      },
    ],
  });
});
