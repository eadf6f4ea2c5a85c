import type { RampartGraph } from '@glacis/graphs';
import { isKubeError, type Draft, type ObjectRef, type ResourceClient } from '@glacis/kube';
import { CheckFailedError, type Context } from '../context.js';
import { UsageError } from '../client.js';
import type { Shown } from '../output.js';
import { inCluster, type Cluster, type ClusterOptions } from './cluster.js';
import { draftOf, specWith, type FileFlags } from './draft.js';
import { isSettled, settled, type WaitFlags } from './waiting.js';

type Graphs = ResourceClient<RampartGraph>;
type WriteFlags = ClusterOptions & FileFlags;

/** `glacis graph create` */
export async function createGraph({ say, show }: Context, flags: WriteFlags): Promise<void> {
  const draft = await draftOf(flags.filename ?? '', flags);
  await inCluster(flags, async ({ graphs }) => show(written(await graphs.create(draft))), say);
}

/** `glacis graph update [name]`: without a file only values change. */
export async function updateGraph(
  { say, show }: Context,
  name: string | undefined,
  flags: WriteFlags,
): Promise<void> {
  const draft = flags.filename === undefined ? undefined : await draftOf(flags.filename, flags);
  const ref = {
    name: name ?? draft?.metadata.name ?? '',
    namespace: draft?.metadata.namespace ?? flags.namespace ?? 'default',
  };
  checkUpdate(ref, draft, flags);
  const update = async ({ graphs }: Cluster): Promise<void> => {
    const graph = await change(graphs, ref, async (current) => {
      return draft ? overlaid(current, draft) : withSpec(current, flags.values);
    });
    show(written(graph));
  };
  await inCluster(flags, update, say);
}

function checkUpdate(
  ref: ObjectRef,
  draft: Draft<RampartGraph> | undefined,
  flags: FileFlags,
): void {
  if (ref.name === '') throw new UsageError('update: name a graph, or give --filename');
  if (!draft && flags.values.length === 0) {
    throw new UsageError('update: give --filename or --values');
  }
  if (draft && draft.metadata.name !== ref.name) {
    throw new UsageError(`update: the file is of the graph '${draft.metadata.name}'`);
  }
}

/** `glacis graph validate`: what the API server would say, by a write that is not stored. */
export async function validateGraph({ say, show }: Context, flags: WriteFlags): Promise<void> {
  const draft = await draftOf(flags.filename ?? '', flags);
  const validate = async ({ graphs }: Cluster): Promise<void> => {
    const current = await graphs.find(draft.metadata);
    if (current) await graphs.replace(overlaid(current, draft), { dryRun: true });
    else await graphs.create(draft, { dryRun: true });
    show({ value: { valid: true }, text: 'valid\n' });
  };
  await inCluster(flags, validate, say);
}

export interface DeployFlags extends ClusterOptions, WaitFlags {
  namespace?: string;
  wait?: boolean;
}

/** `glacis graph deploy|undeploy name` */
export async function setDeploy(
  { say, show }: Context,
  name: string,
  flags: DeployFlags & { deploy: boolean },
): Promise<void> {
  const ref = { name, namespace: flags.namespace ?? 'default' };
  await inCluster(flags, async ({ graphs }) => {
    const graph = await graphs.patch(ref, { spec: { deploy: flags.deploy } });
    if (!flags.wait) return show(written(graph));
    const end = await settled(graphs, ref, flags);
    show({ value: end, text: `${end.status?.phase}\n` });
    if (isSettled(end) && end.status?.phase !== 'Failed') return;
    say(end.status?.messages ?? '');
    throw new CheckFailedError(`${name} has failed`);
  });
}

/** `glacis graph delete [name]` */
export async function deleteGraphs(
  { agrees, say }: Context,
  name: string | undefined,
  flags: ClusterOptions & Selection & { all?: boolean; yes?: boolean },
): Promise<void> {
  if ((name === undefined) !== (flags.all === true)) {
    throw new UsageError('delete: name a graph, or give --all');
  }
  await inCluster(flags, async ({ graphs }) => {
    const found = name
      ? [await graphs.get({ name, namespace: flags.namespace ?? 'default' })]
      : (await graphs.list(selectionOf(flags))).items;
    const names = found.map(({ metadata }) => `${metadata.namespace}:${metadata.name}`).join(', ');
    if (found.length === 0) return say('there is no graph');
    if (!flags.yes && !(await agrees(`Delete ${names}?`))) {
      throw new CheckFailedError('nothing was deleted');
    }
    for (const { metadata } of found) {
      await graphs.delete(metadata, { uid: metadata.uid });
      say(`deletion of ${metadata.namespace}:${metadata.name} requested`);
    }
  });
}

export interface Selection {
  namespace?: string;
  allNamespaces?: boolean;
}

/** One namespace, or all. */
export function selectionOf({ namespace, allNamespaces }: Selection): { namespace?: string } {
  return allNamespaces ? {} : { namespace: namespace ?? 'default' };
}

const attempts = 4;

/** Changes a graph as it is now; a write that somebody was faster than is repeated. */
export async function change(
  graphs: Graphs,
  ref: ObjectRef,
  make: (current: RampartGraph) => RampartGraph | Promise<RampartGraph>,
): Promise<RampartGraph> {
  for (let attempt = 1; ; attempt += 1) {
    const changed = await make(await graphs.get(ref));
    try {
      return await graphs.replace(changed);
    } catch (error) {
      if (attempt === attempts || !isKubeError(error, 'conflict')) throw error;
    }
  }
}

/** The graph of a file over the one in the cluster, which keeps what others have put into its metadata. */
function overlaid(current: RampartGraph, { metadata, spec }: Draft<RampartGraph>): RampartGraph {
  const labels = { ...current.metadata.labels, ...metadata.labels };
  const annotations = { ...current.metadata.annotations, ...metadata.annotations };
  return {
    ...current,
    metadata: { ...current.metadata, labels, annotations },
    spec: spec as RampartGraph['spec'],
  };
}

async function withSpec(current: RampartGraph, values: string[]): Promise<RampartGraph> {
  return { ...current, spec: await specWith(current.spec, values) };
}

function written(graph: RampartGraph): Shown {
  const { namespace, name, uid } = graph.metadata;
  return { value: graph, text: `Namespace: ${namespace}\nName: ${name}\nUID: ${uid}\n` };
}
