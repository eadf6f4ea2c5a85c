import { claimName, rampartView } from '@glacis/graphs';
import type { AppRef } from '../apps/app.entity.js';
import { membersOf, objectOr } from '../cluster/graph-status.js';
import type { RampartGraph } from '../cluster/rampart-graph.js';
import { componentNotFound, edgeNotFound, flowNotFound } from '../problems.js';

/** A graph as it is shown: what is asked of it by name may not be there, whatever its shape. */
export type ShownGraph = Pick<RampartGraph, 'spec'>;

/**
 * The claim of a flow that is named by its claim or by itself.
 * @throws {Problem} flow-not-found
 */
export function claimOf(
  ref: AppRef,
  graph: ShownGraph,
  { flow, type }: { flow: string; type: 'volume' | 'repository' },
): string {
  const found = membersOf(graph, 'flows')
    .filter(([, given]) => given.type === type)
    .find(([name]) => name === flow || claimName(ref, name) === flow);
  if (found === undefined) throw flowNotFound(`the graph has no ${type} flow ${flow}`);
  return claimName(ref, found[0]);
}

/** An edge of a component, as a path names it. */
export interface EdgePath {
  part: 'inputs' | 'outputs';
  component: string;
  edge: string;
}

/**
 * The component of an edge whose liveness is told: of volumes alone (`graph-apps.md` 7.3).
 * @throws {Problem} component-not-found, edge-not-found
 */
export function edgeOf(
  graph: ShownGraph,
  { part, component, edge }: EdgePath,
): { edge: string; namespace: unknown } {
  const found = membersOf(graph, 'components').find(([name]) => name === component);
  if (found === undefined) throw componentNotFound(`the graph has no component ${component}`);
  const edges = Object.entries(objectOr(found[1][part]));
  const view = rampartView(edge);
  const known = edges.some(([name, given]) => rampartView(name) === view && isVolume(given));
  if (!known) throw edgeNotFound(`${component} has no volume among its ${part} that is ${edge}`);
  return { edge: view, namespace: found[1].namespace };
}

const isVolume = (edge: unknown): boolean => objectOr(edge).type === 'volume';
