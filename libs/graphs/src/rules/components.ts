import type { Flow } from '../graph.js';
import { pointer } from '../json.js';
import type { Finding } from '../verdict.js';
import {
  edgeNameDup,
  edgesOf,
  flowOf,
  flowUnknown,
  typeNeFlow,
  typeNeSpec,
  type PlacedEdge,
} from './edges.js';
import { COMPONENTS, type Facts } from './facts.js';
import { flowFindings } from './flows.js';
import { allMounts, explicitMounts, mountInvalid, mountPrefix } from './mounts.js';

/** Flow namespaces are named as those of a component of this name would be. */
const RESERVED = 'rampart-flows';

/**
 * Stage 3: each component, its charts and its edges, and what stage 4 has to say of the flows that edges of the
 * right type lead to.
 */
export function* componentFindings(facts: Facts): Generator<Finding> {
  const reached = new Map<string, Flow>();
  for (const [name, component] of Object.entries(facts.graph.components)) {
    const faults = [...reservedName(name), ...(facts.charts?.faults.get(name) ?? [])];
    yield* faults;
    if (faults.length > 0) continue;
    const edges = edgesOf(component, name);
    yield* edgeFindings(facts, name, edges);
    for (const { edge } of edges) {
      const flow = flowOf(facts, edge);
      if (flow?.type === edge.type) reached.set(edge.flow, flow);
    }
  }
  for (const [name, flow] of reached) yield* flowFindings(facts, name, flow);
}

export function* reservedName(name: string): Generator<Finding> {
  if (name !== RESERVED) return;
  const message = `no component may be called ${RESERVED}`;
  yield { code: 'RESERVED_NAME', path: pointer(COMPONENTS, name), message };
}

function* edgeFindings(
  facts: Facts,
  component: string,
  edges: readonly PlacedEdge[],
): Generator<Finding> {
  const declaration = facts.charts?.declarations.get(component)?.[0];
  const mounts = facts.charts ? allMounts(edges, declaration) : explicitMounts(edges);
  yield* flowUnknown(facts, edges);
  yield* typeNeFlow(facts, edges);
  yield* edgeNameDup(edges);
  yield* mountInvalid(mounts);
  yield* mountPrefix(mounts);
  if (declaration) yield* typeNeSpec(declaration, edges);
}
