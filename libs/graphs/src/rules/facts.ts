import type { ClusterView, NamespaceView } from '../cluster-view.js';
import type { Declaration } from '../chart/declaration.js';
import { LABELS } from '../marks.js';
import { appId, componentNamespace, flowNamespace, labelValue } from '../names.js';
import type { Graph, GraphName, MountedType } from '../graph.js';
import { pointer } from '../json.js';
import type { Finding } from '../verdict.js';

/** What a rule decides on: one graph of legal shape, and what is around it. */
export interface Facts {
  /** With placeholder characters where the name is still to be generated. */
  name: GraphName;
  /** True while the API server has not given the graph its name: no object in the cluster is its own. */
  nameless: boolean;
  uid?: string;
  graph: Graph;
  cluster: ClusterView;
  /** False at admission. */
  inOperator: boolean;
  /** In the operator, from stage 3 on. */
  charts?: ChartFacts;
}

export interface ChartFacts {
  /** By component: of its own chart first, then of the aux chart if it has one. */
  declarations: ReadonlyMap<string, readonly Declaration[]>;
  /** Errors of its charts by component; they end the checks of that component. */
  faults: ReadonlyMap<string, readonly Finding[]>;
}

export const COMPONENTS = pointer('', 'graph', 'components');
export const FLOWS = pointer('', 'graph', 'flows');

/** Whether the object in the cluster is the one that is asked about. */
export function isOwn({ name, nameless }: Facts, other: GraphName): boolean {
  return !nameless && appId(other) === appId(name);
}

/** Whether the Namespace carries the marks of this graph (1.4). */
export function isLabelledOwn(facts: Facts, { labels }: NamespaceView): boolean {
  const uid = labels[LABELS.graphUid];
  return (
    !facts.nameless &&
    labels[LABELS.graphNamespace] === labelValue(facts.name.namespace) &&
    labels[LABELS.graph] === labelValue(facts.name.name) &&
    (uid === undefined || facts.uid === undefined || uid === facts.uid)
  );
}

/** A Namespace that a graph wants. */
export interface Placement {
  namespace: string;
  /** Pointer to what asks for it. */
  path: string;
  /** What asks for it, for a person. */
  of: string;
}

/** Namespaces of the components, in their order. */
export function componentPlacements({ name, graph }: Facts): Placement[] {
  return Object.entries(graph.components).map(([component, { namespace }]) => {
    const path = pointer(COMPONENTS, component);
    return {
      namespace: componentNamespace(name, component, namespace),
      path: namespace === undefined ? path : pointer(path, 'namespace'),
      of: `component ${component}`,
    };
  });
}

/** Namespaces of the types of flows that the graph has. */
export function flowPlacements({ name, graph }: Facts): Placement[] {
  const types = new Set(Object.values(graph.flows).map(({ type }) => type));
  return (['volume', 'repository'] satisfies MountedType[])
    .filter((type) => types.has(type))
    .map((type) => ({
      namespace: flowNamespace(name, type),
      path: FLOWS,
      of: `the ${type} flows`,
    }));
}
