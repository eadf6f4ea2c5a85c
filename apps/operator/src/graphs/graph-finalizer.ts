import { FINALIZER } from '@glacis/graphs';
import { isKubeError, type PatchOperation, type ResourceClient } from '@glacis/kube';
import type { Graph } from './work.js';

const path = '/metadata/finalizers';

/** Tries, as others may change the graph at any time. */
const tries = 5;

/**
 * Has the graph kept after its deletion until it is taken down; finalizers of others are not touched.
 * @returns the graph with the spec that was read, whatever it is by now
 */
export async function addGraphFinalizer(
  client: ResourceClient<Graph>,
  graph: Graph,
): Promise<Graph> {
  const { metadata } = await again(client, graph, async (now) => {
    const { finalizers } = now.metadata;
    if (finalizers?.includes(FINALIZER)) return now;
    const add: PatchOperation = finalizers
      ? { op: 'add', path: `${path}/-`, value: FINALIZER }
      : { op: 'add', path, value: [FINALIZER] };
    return client.jsonPatch(now.metadata, [unchanged(now), add]);
  });
  const { resourceVersion, finalizers } = metadata;
  return { ...graph, metadata: { ...graph.metadata, resourceVersion, finalizers } };
}

/** Lets the graph go. One that is gone already counts as done. */
export async function dropGraphFinalizer(
  client: ResourceClient<Graph>,
  graph: Graph,
): Promise<void> {
  try {
    await again(client, graph, async (now) => {
      const index = now.metadata.finalizers?.indexOf(FINALIZER) ?? -1;
      if (index < 0) return now;
      const removal = { op: 'remove', path: `${path}/${index}` } as const;
      return client.jsonPatch(now.metadata, [unchanged(now), removal]);
    });
  } catch (error) {
    if (!isKubeError(error, 'notFound')) throw error;
  }
}

/** @throws {KubeError} conflict when somebody changes the graph all the time */
async function again(
  client: ResourceClient<Graph>,
  graph: Graph,
  write: (now: Graph) => Promise<Graph>,
): Promise<Graph> {
  let now = graph;
  for (let left = tries; ; left -= 1) {
    try {
      return await write(now);
    } catch (error) {
      if (left <= 1 || !isKubeError(error, 'conflict')) throw error;
      now = await client.get(graph.metadata);
    }
  }
}

const unchanged = ({ metadata }: Graph): PatchOperation => ({
  op: 'test',
  path: '/metadata/resourceVersion',
  value: metadata.resourceVersion,
});
