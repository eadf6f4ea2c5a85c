import type { EdgePart, Graph } from '../graph.js';
import type { Finding } from '../verdict.js';
import { MOST_ERRORS } from './pipeline.js';

/** More would not be shown: the API server cuts them at 4 KiB. */
const MOST_WARNINGS = 50;

/** What is odd about a graph but no reason to refuse it (3.1). */
export function warningsOf(graph: Graph, errors: readonly Finding[]): string[] {
  const few = [...truncated(errors), ...latestCharts(graph), ...idleFlows(graph)];
  const rest = few.length - MOST_WARNINGS;
  return rest > 0 ? [...few.slice(0, MOST_WARNINGS), `${rest} more warnings`] : few;
}

function* truncated(errors: readonly Finding[]): Generator<string> {
  if (errors.length >= MOST_ERRORS) yield `only ${MOST_ERRORS} of the errors are listed`;
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
