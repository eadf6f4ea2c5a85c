import type { Graph, GraphName, GraphSpec } from '../graph.js';
import type { ClusterView } from '../cluster-view.js';
import { check } from '../schema/check.js';
import { GRAPH_SCHEMA } from '../schema/graph-schema.js';
import type { Finding } from '../verdict.js';

/** What is asked to be a graph. */
export interface Subject {
  /** Namespace, name and generateName as the request for it has them; empty counts as absent. */
  namespace?: string;
  name?: string;
  generateName?: string;
  uid?: string;
  /** Its `spec`, in the form of v1beta2, or anything else. */
  spec: unknown;
}

/** The API server appends five characters of its own to the first 58 of `generateName`, none of them a zero. */
const PLACEHOLDER = '00000';

/** Name of the graph, as far as it is known. */
export function nameOf({ namespace = '', name, generateName = '' }: Subject): GraphName {
  return { namespace, name: name ? name : `${generateName.slice(0, 58)}${PLACEHOLDER}` };
}

export function* nameMissing({ name, generateName }: Subject): Generator<Finding> {
  if (!name && !generateName) {
    yield { code: 'NAME_MISSING', path: '', message: 'No name found' };
  }
}

export function* namespaceMissing({ namespace }: Subject): Generator<Finding> {
  if (!namespace) {
    yield { code: 'NAMESPACE_MISSING', path: '', message: 'No namespace found' };
  }
}

export function* busy({ ready }: ClusterView): Generator<Finding> {
  if (!ready) {
    const message = 'the state of the cluster is not known yet; try again in a few seconds';
    yield { code: 'BUSY', path: '', message };
  }
}

export function* schema({ spec }: Subject): Generator<Finding> {
  for (const fault of check(GRAPH_SCHEMA, spec)) yield { code: 'SCHEMA', ...fault };
}

/** `spec` of a subject in which `schema` finds nothing. */
export function graphOf({ spec }: Subject): Graph {
  return (spec as GraphSpec).graph;
}
