import { INT64, within, type Range, type ValueType } from '@glacis/shares';
import type { Comparison, Condition, Constant, Expression } from '../sql/syntax.js';
import type { Position } from '../sql/refusal.js';
import { refuse } from './scope.js';
import { union, widthOf } from './types.js';
import { constant, constantOf, rescaled, valueOf, type Lookup, type Value } from './values.js';

/**
 * A condition in the form in which it is computed. BETWEEN is two comparisons, NOT stands where it was written; a
 * comparison that the ranges of its sides decide is `always`.
 */
export type Predicate =
  | { op: 'and' | 'or'; operands: Predicate[] }
  | { op: 'not'; operand: Predicate }
  | { op: 'always'; holds: boolean }
  /** Both sides in `width` bits, two's complement where `signed`. */
  | {
      op: 'compare';
      relation: Comparison;
      left: Value;
      right: Value;
      width: number;
      signed: boolean;
    }
  /** Distinct constants within the range of the operand. */
  | { op: 'in'; operand: Value; values: bigint[]; width: number; signed: boolean }
  /** A hashed column equals one of some texts, which are encoded outside the plan. */
  | { op: 'hashed'; operand: Value; texts: string[] };

const HASH_ORDER = 'hashed text has no order';

function labelIndex(type: ValueType, text: string, at: Position): Value {
  const index = type.labels?.indexOf(text) ?? -1;
  if (index < 0) refuse('unknown_label', 'the column has no such value', at);
  const bound = BigInt(index);
  return { ...constant(bound), type: { ...type, min: bound, max: bound } };
}

const sameLabels = (a: ValueType, b: ValueType): boolean =>
  a.labels?.length === b.labels?.length &&
  (a.labels ?? []).every((label, index) => label === b.labels?.[index]);

interface Side {
  value: Value;
  at: Position;
}

/** Whether two values may be compared; text constants have become labels before. */
function comparable({ type: a }: Value, { type: b }: Value): boolean {
  return a.kind === b.kind && (a.kind !== 'label' || sameLabels(a, b));
}

function texts(left: Side, right: Side): [Value, Value] {
  const resolve = (side: Side, other: Side): Value => {
    const { value } = side;
    if (value.op !== 'text' || other.value.op === 'text') return value;
    if (other.value.type.kind === 'hash') return { ...value, type: other.value.type };
    return other.value.type.kind === 'label'
      ? labelIndex(other.value.type, value.text, side.at)
      : value;
  };
  return [resolve(left, right), resolve(right, left)];
}

function aligned(left: Side, right: Side, at: Position): [Value, Value] {
  const [a, b] = texts(left, right);
  if (a.op === 'text' && b.op === 'text') refuse('type_mismatch', 'two texts are compared', at);
  if (!comparable(a, b)) refuse('type_mismatch', 'values of these types are not compared', at);
  const scale = Math.max(a.type.scale, b.type.scale);
  return [rescaled(a, scale, at), rescaled(b, scale, at)];
}

const HOLDS: Record<Comparison, (a: Range, b: Range) => boolean | undefined> = {
  '=': (a, b) => {
    if (a.max < b.min || a.min > b.max) return false;
    return a.min === a.max && b.min === b.max ? true : undefined;
  },
  '<>': (a, b) => negate(HOLDS['='](a, b)),
  '<': (a, b) => negate(HOLDS['>='](a, b)),
  '<=': (a, b) => negate(HOLDS['>'](a, b)),
  '>': (a, b) => HOLDS['>=']({ min: a.min - 1n, max: a.max - 1n }, b),
  '>=': (a, b) => {
    if (a.min >= b.max) return true;
    return a.max < b.min ? false : undefined;
  },
};

const negate = (holds: boolean | undefined): boolean | undefined =>
  holds === undefined ? undefined : !holds;

function hashed(relation: Comparison, left: Value, right: Value, at: Position): Predicate {
  if (relation !== '=' && relation !== '<>') refuse('hash_order', HASH_ORDER, at);
  const [operand, other] = left.op === 'text' ? [right, left] : [left, right];
  const equal: Predicate =
    other.op === 'text'
      ? { op: 'hashed', operand, texts: [other.text] }
      : { op: 'compare', relation: '=', left: operand, right: other, width: 64, signed: false };
  return relation === '=' ? equal : { op: 'not', operand: equal };
}

function compare(relation: Comparison, sides: [Side, Side], at: Position): Predicate {
  const [left, right] = aligned(...sides, at);
  if (left.type.kind === 'hash') return hashed(relation, left, right, at);
  const holds = HOLDS[relation](left.type, right.type);
  if (holds !== undefined) return { op: 'always', holds };
  const range = union(left.type, right.type);
  if (!within(range, INT64)) refuse('overflow_possible', '64 bits may not hold a side', at);
  const width = widthOf(range);
  return { op: 'compare', relation, left, right, width, signed: range.min < 0n };
}

function inList(operand: Side, constants: Constant[], at: Position): Predicate {
  const pairs = constants.map((node) =>
    aligned(operand, { value: constantOf(node), at: node.at }, node.at),
  );
  if (operand.value.type.kind === 'hash')
    return {
      op: 'hashed',
      operand: operand.value,
      texts: [...new Set(pairs.map(([, c]) => (c.op === 'text' ? c.text : '')))],
    };
  const scale = Math.max(...pairs.map(([left]) => left.type.scale));
  const left = rescaled(operand.value, scale, at);
  const values = pairs
    .map(([, right]) => rescaled(right, scale, at))
    .filter(({ type }) => within(type, left.type))
    .map(({ type }) => type.min);
  const distinct = [...new Set(values)];
  if (distinct.length === 0) return { op: 'always', holds: false };
  const { min } = left.type;
  return { op: 'in', operand: left, values: distinct, width: widthOf(left.type), signed: min < 0n };
}

const not = (operand: Predicate, negated: boolean): Predicate =>
  negated ? { op: 'not', operand } : operand;

/**
 * Types a condition.
 * @param lookup what columns and aggregates stand for here.
 */
export function predicateOf(node: Condition, lookup: Lookup): Predicate {
  const side = (expression: Expression): Side => ({
    value: valueOf(expression, lookup),
    at: expression.at,
  });
  switch (node.kind) {
    case 'and':
    case 'or':
      return { op: node.kind, operands: node.operands.map((part) => predicateOf(part, lookup)) };
    case 'not':
      return { op: 'not', operand: predicateOf(node.operand, lookup) };
    case 'compare':
      return compare(node.relation, [side(node.left), side(node.right)], node.at);
    case 'between': {
      const operand = side(node.operand);
      const bounds: Predicate[] = [
        compare('>=', [operand, side(node.low)], node.at),
        compare('<=', [operand, side(node.high)], node.at),
      ];
      return not({ op: 'and', operands: bounds }, node.negated);
    }
    default:
      return not(inList(side(node.operand), node.values, node.at), node.negated);
  }
}
