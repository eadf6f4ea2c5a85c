import { declaredEdge, type Declaration } from '../chart/declaration.js';
import { kubernetesView } from '../names.js';
import { EDGE_PARTS, type Component, type Edge, type EdgePart, type Flow } from '../graph.js';
import { pointer } from '../json.js';
import type { Finding } from '../verdict.js';
import { COMPONENTS, type Facts } from './facts.js';

/** An edge and where it stands. */
export interface PlacedEdge {
  part: EdgePart;
  name: string;
  edge: Edge;
  path: string;
}

export function edgesOf(component: Component, name: string): PlacedEdge[] {
  return EDGE_PARTS.flatMap((part) =>
    Object.entries(component[part]).map(([edge, value]) => ({
      part,
      name: edge,
      edge: value,
      path: pointer(COMPONENTS, name, part, edge),
    })),
  );
}

/** The flow of an edge, if there is one. */
export function flowOf({ graph }: Facts, { flow }: Edge): Flow | undefined {
  return Object.hasOwn(graph.flows, flow) ? graph.flows[flow] : undefined;
}

export function* flowUnknown(facts: Facts, edges: readonly PlacedEdge[]): Generator<Finding> {
  for (const { edge, path } of edges) {
    if (flowOf(facts, edge)) continue;
    const message = `${edge.flow} is no flow of the graph`;
    yield { code: 'FLOW_UNKNOWN', path: pointer(path, 'flow'), message };
  }
}

export function* typeNeFlow(facts: Facts, edges: readonly PlacedEdge[]): Generator<Finding> {
  for (const { edge, path } of edges) {
    const flow = flowOf(facts, edge);
    if (!flow || flow.type === edge.type) continue;
    const message = `is ${edge.type}, but flow ${edge.flow} is ${flow.type}`;
    yield { code: 'TYPE_NE_FLOW', path: pointer(path, 'type'), message };
  }
}

export function* edgeNameDup(edges: readonly PlacedEdge[]): Generator<Finding> {
  const seen = new Map<string, PlacedEdge>();
  for (const placed of edges) {
    const view = kubernetesView(placed.name);
    const first = seen.get(view);
    if (first) {
      const other = `${first.part}/${first.name}`;
      const message = `has the same name as ${other}, for _ and - count as equal`;
      yield { code: 'EDGE_NAME_DUP', path: placed.path, message };
    } else seen.set(view, placed);
  }
}

/** Undeclared names are free. */
export function* typeNeSpec(
  declaration: Declaration,
  edges: readonly PlacedEdge[],
): Generator<Finding> {
  for (const { part, name, edge, path } of edges) {
    const declared = declaredEdge(declaration, part, name)?.declared;
    if (!declared || declared.type === edge.type) continue;
    const message = `is ${edge.type}, but the chart declares ${declared.name} as ${declared.type}`;
    yield { code: 'TYPE_NE_SPEC', path: pointer(path, 'type'), message };
  }
}
