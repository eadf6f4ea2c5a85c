import { createInterface } from 'node:readline';
import { componentNamespace, type RampartGraph } from '@glacis/graphs';
import { isKubeError } from '@glacis/kube';
import { RefusedError } from '../client.js';
import type { Context } from '../context.js';
import { plain } from '../output.js';
import { inCluster, type Cluster, type ClusterOptions, type Pod } from './cluster.js';

export interface LogFlags extends ClusterOptions {
  namespace?: string;
  follow?: boolean;
}

/** A container whose log is read, and which of its lines count. */
interface Source {
  namespace: string;
  pod: string;
  container: string;
  shown: (line: string) => string | undefined;
}

/** `glacis graph logs name [component]`: what the operator says of the graph, or what the pods of a component say. */
export async function graphLogs(
  { write }: Context,
  [name, component]: [string, string | undefined],
  flags: LogFlags,
): Promise<void> {
  const ref = { name, namespace: flags.namespace ?? 'default' };
  await inCluster(flags, async (cluster) => {
    const sources = component
      ? await podsOf(cluster, await cluster.graphs.get(ref), component)
      : await operatorOf(cluster, ref);
    const copy = (source: Source): Promise<void> =>
      copyLog(cluster, source, { write, follow: flags.follow });
    if (flags.follow) await Promise.all(sources.map(copy));
    else for (const source of sources) await copy(source);
  });
}

async function podsOf(cluster: Cluster, graph: RampartGraph, component: string): Promise<Source[]> {
  const { metadata, spec } = graph;
  if (!Object.hasOwn(spec.graph.components, component)) {
    throw new RefusedError(404, { detail: `the graph has no component '${component}'` });
  }
  const explicit = spec.graph.components[component]?.namespace;
  const name = { namespace: metadata.namespace ?? '', name: metadata.name };
  const namespace = componentNamespace(name, component, explicit);
  const { items } = await cluster.pods.list({ namespace });
  return items.flatMap((pod) =>
    (pod.spec?.containers ?? []).map(({ name: container }) => {
      const mark = `${pod.metadata.name}/${container}`;
      const shown = (line: string): string => `${mark}: ${line}`;
      return { namespace, pod: pod.metadata.name, container, shown };
    }),
  );
}

async function operatorOf(
  cluster: Cluster,
  graph: { namespace: string; name: string },
): Promise<Source[]> {
  const { metadata, spec } = await leaderOf(cluster);
  const mark = `graph_namespace=${graph.namespace} graph_name=${graph.name} `;
  const shown = (line: string): string | undefined => (line.includes(mark) ? line : undefined);
  const { namespace = '', name: pod } = metadata;
  return (spec?.containers ?? []).map(({ name: container }) => ({
    namespace,
    pod,
    container,
    shown,
  }));
}

/** The operator that leads holds the Lease, under the name of its pod. */
async function leaderOf({ leases, pods }: Cluster): Promise<Pod> {
  const { items } = await leases.list({ fieldSelector: 'metadata.name=glacis-operator' });
  for (const { metadata, spec } of items) {
    const name = spec?.holderIdentity?.split('_')[0];
    const pod = name && (await pods.find({ namespace: metadata.namespace, name }));
    if (pod) return pod;
  }
  throw new RefusedError(404, { detail: 'no operator runs in the cluster' });
}

async function copyLog(
  { server }: Cluster,
  { namespace, pod, container, shown }: Source,
  { write, follow = false }: { write: Context['write']; follow?: boolean },
): Promise<void> {
  const query = new URLSearchParams({ container, follow: String(follow) }).toString();
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?${query}`;
  try {
    const answer = await server.stream(path, new AbortController().signal);
    for await (const line of createInterface({ input: answer })) {
      const text = shown(line);
      if (text !== undefined) write(`${plain(text)}\n`);
    }
  } catch (error) {
    // It has not started, or has gone meanwhile: the others are still told of.
    if (!isKubeError(error, 'invalid', 'notFound')) throw error;
    write(`${pod}/${container}: ${error.message}\n`);
  }
}
