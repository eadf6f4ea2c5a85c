import type { EdgePart, Graph } from '../graph.js';

/** More would not be shown: the API server cuts one at 256 characters and all of them at 4096. */
const MOST_WARNINGS = 50;
const LONGEST = 256;

/** What is odd about a graph but no reason to refuse it (3.1). */
export function warningsOf(graph: Graph): string[] {
  const all = [...latestCharts(graph), ...idleFlows(graph)].map((text) => text.slice(0, LONGEST));
  const rest = all.length - MOST_WARNINGS;
  return rest > 0 ? [...all.slice(0, MOST_WARNINGS), `${rest} more warnings`] : all;
}

function* latestCharts({ components }: Graph): Generator<string> {
  for (const [name, { chart }] of Object.entries(components)) {
    if (chart.version === 'latest') {
      yield `component ${name}: its chart has the version latest, which may change at any time`;
    }
  }
}

function* idleFlows(graph: Graph): Generator<string> {
  const read = flowsOn(graph, 'inputs');
  const written = flowsOn(graph, 'outputs');
  for (const name of Object.keys(graph.flows)) {
    if (written.has(name)) continue;
    yield read.has(name) ? `flow ${name} is read but never written` : `flow ${name} has no edge`;
  }
}

function flowsOn({ components }: Graph, part: EdgePart): Set<string> {
  const edges = Object.values(components).flatMap((component) => Object.values(component[part]));
  return new Set(edges.map(({ flow }) => flow));
}
