import type { Condition, Expression } from '../sql/syntax.js';
import { isSimple, type Aggregates } from './aggregates.js';
import { predicateOf, type Predicate } from './conditions.js';
import { hasAggregate } from './outputs.js';
import { refuse, type Scope } from './scope.js';
import { value, type Lookup, type Value } from './values.js';

/** Divisions in HAVING are there for row values only; of aggregates they would be opening-time arithmetic. */
function refuseDivision(node: Expression): void {
  if (node.kind === 'negate') refuseDivision(node.operand);
  if (node.kind !== 'arithmetic') return;
  if (node.operator === '/' && hasAggregate(node))
    refuse('opening_only', 'aggregates are divided when the result is opened', node.at);
  refuseDivision(node.left);
  refuseDivision(node.right);
}

function refuseDivisions(node: Condition): void {
  if ('operands' in node) node.operands.forEach(refuseDivisions);
  else if (node.kind === 'not') refuseDivisions(node.operand);
  else if (node.kind === 'compare') [node.left, node.right].forEach(refuseDivision);
  else refuseDivision(node.operand);
}

/** In HAVING a column is a key of the group, and an aggregate one that the parties compute. */
function groupLookup(scope: Scope, aggregates: Aggregates, keys: number[]): Lookup {
  return (node): Value => {
    if (node.kind === 'column') {
      const { index, type } = scope.resolve(node);
      const key = keys.indexOf(index);
      if (key < 0) refuse('not_grouped', 'a column in HAVING stands in GROUP BY', node.at);
      return value({ op: 'key', key }, type);
    }
    if (!isSimple(node))
      return refuse('opening_only', 'variances are computed when the result is opened', node.at);
    const aggregate = aggregates.add(node);
    const { type, function: name } = aggregates.list[aggregate];
    const found = value({ op: 'aggregate', aggregate }, type);
    return name === 'SUM' || name === 'AVG' ? { ...found, ring: 64 } : found;
  };
}

/** Types a HAVING condition. */
export function havingOf(
  condition: Condition,
  scope: Scope,
  aggregates: Aggregates,
  keys: number[],
): Predicate {
  refuseDivisions(condition);
  return predicateOf(condition, groupLookup(scope, aggregates, keys));
}
