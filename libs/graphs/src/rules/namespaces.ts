import { NAME_PATTERN } from '../schema/patterns.js';
import type { Finding } from '../verdict.js';
import {
  componentPlacements,
  flowPlacements,
  isLabelledOwn,
  isOwn,
  type Facts,
  type Placement,
} from './facts.js';

/** Of a label of DNS, hence of Namespaces and of graphs, whose names become parts of those. */
const LONGEST_NAME = 63;

export function* graphName({ name: { name } }: Facts): Generator<Finding> {
  const error = { code: 'GRAPH_NAME', path: '' } as const;
  if (!NAME_PATTERN.test(name)) {
    const right = 'lower-case letters, digits and dashes, with a letter or digit at both ends';
    yield { ...error, message: `the name of a graph must be ${right}` };
  }
  if (name.length > LONGEST_NAME) {
    yield { ...error, message: `the name has ${name.length} characters, ${LONGEST_NAME} are most` };
  }
}

export function* namespaceLength(facts: Facts): Generator<Finding> {
  for (const { namespace, path, of } of wanted(facts)) {
    if (namespace.length > LONGEST_NAME) {
      const length = `has ${namespace.length} characters, ${LONGEST_NAME} are most`;
      yield { code: 'NAMESPACE_LENGTH', path, message: `the Namespace of ${of} ${length}` };
    }
  }
}

export function* namespaceExists(facts: Facts): Generator<Finding> {
  for (const { namespace, path, of } of wanted(facts)) {
    const taken = takenBy(facts, namespace);
    if (taken === null) continue;
    const message = `Namespace ${namespace} of ${of} ${taken}`;
    yield { code: 'NAMESPACE_EXISTS', path, message };
  }
}

/**
 * At admission a Namespace that the graph's stored object claims is the graph's, whoever made it. In the operator
 * that object is the one under examination: there only the labels say whose an existing Namespace is.
 */
function takenBy(facts: Facts, namespace: string): string | null {
  const { cluster, inOperator } = facts;
  const existing = cluster.namespace(namespace);
  if (existing && isLabelledOwn(facts, existing)) return null;
  const claimants = [...cluster.claimantsOf(namespace)];
  const claimedByOwn = claimants.some((graph) => isOwn(facts, graph));
  if (existing && (inOperator || !claimedByOwn)) return 'exists and is not of this graph';
  return claimants.length > 0 && !claimedByOwn ? 'is claimed by another graph' : null;
}

function wanted(facts: Facts): Placement[] {
  return [...componentPlacements(facts), ...flowPlacements(facts)];
}

export function* namespaceDup(facts: Facts): Generator<Finding> {
  const users = new Map(flowPlacements(facts).map(({ namespace, of }) => [namespace, of]));
  for (const { namespace, path, of } of componentPlacements(facts)) {
    const first = users.get(namespace);
    if (first !== undefined) {
      const message = `${first} and ${of} would share the Namespace ${namespace}`;
      yield { code: 'NAMESPACE_DUP', path, message };
    } else users.set(namespace, of);
  }
}
