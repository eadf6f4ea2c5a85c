import type { RampartGraph } from '@glacis/graphs';
import { stringify } from 'yaml';
import type { Context } from '../context.js';
import { RefusedError } from '../client.js';
import { plain, plainLines, table } from '../output.js';
import { inCluster, type Cluster, type ClusterOptions } from './cluster.js';
import { selectionOf, type Selection } from './write.js';
import { states } from './waiting.js';

/** `glacis graph list` */
export async function listGraphs(
  { show }: Context,
  flags: ClusterOptions & Selection,
): Promise<void> {
  await inCluster(flags, async ({ graphs }) => {
    const { items } = await graphs.list(selectionOf(flags));
    const lines = items.map(({ metadata }) => `${metadata.namespace}:\t${metadata.name}\n`);
    show({ value: items, text: lines.join('') });
  });
}

/** `glacis graph describe [prefix]` */
export async function describeGraphs(
  { show }: Context,
  prefix: string | undefined,
  flags: ClusterOptions & Selection & { verbose: number },
): Promise<void> {
  await inCluster(flags, async (cluster) => {
    const { items } = await cluster.graphs.list(selectionOf(flags));
    const found = items.filter(({ metadata }) => metadata.name.startsWith(prefix ?? ''));
    if (prefix !== undefined && found.length === 0) {
      throw new RefusedError(404, { detail: `there is no graph whose name begins with ${prefix}` });
    }
    const texts: string[] = [];
    for (const graph of found) texts.push(await description(cluster, graph, flags.verbose));
    show({ value: found, text: texts.join('\n') });
  });
}

async function description(cluster: Cluster, graph: RampartGraph, level: number): Promise<string> {
  const { metadata, status = {} } = graph;
  const facts: [string, string | undefined][] = [
    ['Namespace', metadata.namespace],
    ['Name', metadata.name],
    ['Generation', metadata.generation?.toString()],
    ['Status', status.phase],
    ['Reason', status.reason],
    ['Component namespaces', status.componentNamespaces?.join(', ')],
  ];
  const lines = facts.map(([name, value]) => `${name}: ${plain(value ?? '-')}\n`);
  if (level >= 1) lines.push(`Message: ${plainLines(status.messages ?? '-')}\n`, flowsOf(graph));
  if (level >= 2) lines.push(await podsOf(cluster, graph));
  if (level >= 3) lines.push(stringify(graph));
  return lines.join('');
}

function flowsOf({ spec }: RampartGraph): string {
  const flows = Object.entries(spec.graph.flows).map(([name, { type }]) => ({ flow: name, type }));
  return table(flows, ['flow', 'type']);
}

async function podsOf({ pods }: Cluster, { status }: RampartGraph): Promise<string> {
  const rows: Record<string, unknown>[] = [];
  for (const namespace of status?.componentNamespaces ?? []) {
    const { items } = await pods.list({ namespace });
    rows.push(
      ...items.map((pod) => ({ namespace, pod: pod.metadata.name, phase: pod.status?.phase })),
    );
  }
  return table(rows, ['namespace', 'pod', 'phase']);
}

/** `glacis graph status name`: with `--watch` again whenever it has changed. */
export async function graphStatus(
  { show }: Context,
  name: string,
  flags: ClusterOptions & { namespace?: string; watch?: boolean },
): Promise<void> {
  const ref = { name, namespace: flags.namespace ?? 'default' };
  await inCluster(flags, async ({ graphs }) => {
    let shown: string | undefined;
    for await (const graph of states(graphs, ref)) {
      const text = statusText(graph);
      if (text !== shown) show({ value: graph.status ?? {}, text });
      if (!flags.watch) return;
      shown = text;
    }
  });
}

function statusText({ status = {} }: RampartGraph): string {
  const { phase, conditions = [], components = [], flows = [] } = status;
  const conditionRows = conditions.map(({ type, ...rest }) => ({ condition: type, ...rest }));
  const componentRows = components.map(({ name, ...rest }) => ({ component: name, ...rest }));
  const flowRows = flows.map(({ name, ...rest }) => ({ flow: name, ...rest }));
  return [
    `Phase: ${phase ?? '-'}\n`,
    table(conditionRows, ['condition', 'status', 'reason', 'message']),
    table(componentRows, ['component', 'state', 'namespace', 'message']),
    table(flowRows, ['flow', 'type', 'state', 'message']),
  ].join('\n');
}
