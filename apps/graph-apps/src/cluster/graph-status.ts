import { appId, componentNamespace, kubernetesView } from '@glacis/graphs';
import type { App, AppStatus } from '../apps/app.entity.js';
import { isReadOnly } from '../apps/known-app.js';
import { phaseWord } from '../apps/views.js';
import type { GraphAppsSettings } from '../settings.js';
import { componentUrl } from './dashboard.js';
import type { RampartGraph } from './rampart-graph.js';

type Entry = Record<string, unknown>;

/** The word for a graph as the cluster has it (`graph-apps.md` 6.5). */
export function statusOf(graph: RampartGraph): AppStatus {
  if (graph.metadata.deletionTimestamp !== undefined) return 'deleting';
  const { status } = graph;
  if (status?.phase === undefined) return 'undeployed';
  if (typeof status !== 'object' || typeof status.phase !== 'string') return 'error';
  const word = phaseWord(status.phase);
  if (word !== 'deployed') return word;
  return nodesOf(graph).every(({ state }) => state === 'normal') ? 'deployed' : 'deployment_error';
}

const deployedWords = new Set<AppStatus>(['deployed', 'deploying', 'deployment_error', 'error']);

/** Entries of versions that are being replaced, then that of the graph in the cluster. */
export function statusEntries(
  app: App,
  graph: RampartGraph | undefined,
  settings: GraphAppsSettings,
): Entry[] {
  const replaced = Object.keys(app.versionStatus)
    .map(Number)
    .filter((number) => number !== app.activeVersion)
    .toSorted((a, b) => a - b)
    .map((number) => replacedEntry(app, number, graph !== undefined));
  return graph === undefined ? replaced : [...replaced, liveEntry(app, graph, settings)];
}

function replacedEntry(app: App, number: number, live: boolean): Entry {
  const status = phaseWord(app.versionStatus[number] ?? '');
  return {
    name: app.name,
    namespace: app.namespace,
    ...(live && { readOnly: isReadOnly(app) }),
    appId: appId(app),
    version: number,
    status,
    deployed: deployedWords.has(status),
    ...(live && { progress: 0 }),
    message: '',
    nodes: [],
    flows: [],
  };
}

function liveEntry(app: App, graph: RampartGraph, settings: GraphAppsSettings): Entry {
  const status = statusOf(graph);
  const nodes = nodesOf(graph);
  const flows = flowsOf(graph);
  const states = [...nodes, ...flows].map(({ state }) => state);
  const normal = states.filter((state) => state === 'normal').length;
  return {
    name: app.name,
    namespace: app.namespace,
    readOnly: isReadOnly(app),
    appId: appId(app),
    version: app.activeVersion || undefined,
    status,
    deployed: deployedWords.has(status),
    progress: states.length === 0 ? 0 : Math.round((normal / states.length) * 100) / 100,
    message: textOr(graph.status?.messages),
    nodes: nodes.map(({ name, state, message, type, namespace }) => ({
      componentTitle: kubernetesView(name),
      status: state,
      message,
      k8sUrl: componentUrl(settings, type, namespace),
    })),
    flows: flows.map(({ name, state }) => ({ flowTitle: kubernetesView(name), status: state })),
  };
}

interface Node {
  name: string;
  state: string;
  message: string;
  type: unknown;
  namespace: string;
}

/** The components of the graph, each with its state; what the operator has no word for is not found. */
function nodesOf(graph: RampartGraph): Node[] {
  const states = byName(graph.status?.components);
  return membersOf(graph, 'components').map(([name, component]) => {
    const { type, namespace } = component;
    const found = states.get(name);
    const explicit = typeof namespace === 'string' ? namespace : undefined;
    return {
      name,
      state: textOr(found?.state, 'not_found'),
      message: textOr(found?.message),
      type,
      namespace: componentNamespace(nameOf(graph), name, explicit),
    };
  });
}

function flowsOf(graph: RampartGraph): { name: string; state: string }[] {
  const states = byName(graph.status?.flows);
  return membersOf(graph, 'flows').map(([name]) => ({
    name,
    state: textOr(states.get(name)?.state, 'unknown'),
  }));
}

/** Namespace and name of a graph in the cluster. */
export function nameOf({ metadata }: RampartGraph): { namespace: string; name: string } {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

/** Components or flows of a graph, of whatever shape it is. */
export function membersOf(
  { spec }: Pick<RampartGraph, 'spec'>,
  part: 'components' | 'flows',
): [string, Record<string, unknown>][] {
  const graph = objectOr(spec?.graph);
  return Object.entries(objectOr(graph[part])).map(([name, value]) => [name, objectOr(value)]);
}

function byName<T extends { name?: unknown }>(list: readonly T[] | undefined): Map<unknown, T> {
  const items: unknown[] = Array.isArray(list) ? list : [];
  return new Map(items.map((item) => [objectOr(item).name, objectOr(item) as T]));
}

/** Some object, or an empty one. */
export function objectOr(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOr(value: unknown, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}
