import { dayOf, INT64, MAX_SCALE, within, type Range, type ValueType } from '@glacis/shares';
import type { Arithmetic, Constant, Expression } from '../sql/syntax.js';
import { refuse } from './scope.js';
import { ringOf, union } from './types.js';

/** Where a value comes from: a column of the tables, a group's key, an aggregate. */
export type Source =
  | { op: 'column'; column: number }
  | { op: 'key'; key: number }
  | { op: 'aggregate'; aggregate: number };

type Operation =
  | Source
  | { op: 'constant'; value: bigint }
  /** Not yet text of any column: what it is compared with decides. */
  | { op: 'text'; text: string }
  | { op: 'add' | 'subtract' | 'multiply'; left: Value; right: Value }
  | { op: 'negate'; operand: Value };

/** A typed expression; it runs in Z_2^ring, and its operands are lifted where theirs is smaller (jobs.md 11.3). */
export type Value = Operation & { type: ValueType; ring: 32 | 64 };

/** Looks up what an expression takes from its surroundings: columns, and aggregates where they may stand. */
export type Lookup = (expression: Expression & { kind: 'column' | 'aggregate' }) => Value;

export const value = (operation: Operation, type: ValueType): Value => ({
  ...operation,
  type,
  ring: ringOf(type),
});

const extent = (values: bigint[]): Range => values.map((v) => ({ min: v, max: v })).reduce(union);

const RANGES: Record<'add' | 'subtract' | 'multiply', (a: Range, b: Range) => Range> = {
  add: (a, b) => ({ min: a.min + b.min, max: a.max + b.max }),
  subtract: (a, b) => ({ min: a.min - b.max, max: a.max - b.min }),
  multiply: (a, b) => extent([a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max]),
};

const NAMES = { '+': 'add', '-': 'subtract', '*': 'multiply' } as const;

export const constant = (number: bigint, scale = 0, kind: 'number' | 'date' = 'number'): Value =>
  value({ op: 'constant', value: number }, { kind, scale, min: number, max: number });

function operate(at: Expression['at'], operation: Operation, type: ValueType): Value {
  if (!within(type, INT64))
    refuse('overflow_possible', '64 bits may not hold this; declare bounds of the columns', at);
  const node = value(operation, type);
  const operands = 'left' in operation ? [operation.left, operation.right] : [];
  return { ...node, ring: operands.some(({ ring }) => ring === 64) ? 64 : node.ring };
}

/** The same number with more digits behind the point. */
export function rescaled(operand: Value, scale: number, at: Expression['at']): Value {
  if (operand.type.scale >= scale) return operand;
  const factor = 10n ** BigInt(scale - operand.type.scale);
  const range = RANGES.multiply(operand.type, { min: factor, max: factor });
  if (operand.op === 'constant') {
    if (!within(range, INT64))
      refuse('literal_range', '64 bits do not hold this number at its scale', at);
    return constant(operand.value * factor, scale);
  }
  const type = { ...operand.type, ...range, scale };
  return operate(at, { op: 'multiply', left: operand, right: constant(factor) }, type);
}

const NUMERIC = new Set(['number', 'date']);

/** Days may be added to and taken from a date; apart from this only numbers are computed with. */
function resultKind(operator: string, left: Value, right: Value): 'number' | 'date' | undefined {
  const kinds = `${left.type.kind} ${operator} ${right.type.kind}`;
  if (kinds === `number ${operator} number`) return 'number';
  const days = left.type.kind === 'date' ? right : left;
  const shifts = ['date + number', 'number + date', 'date - number'].includes(kinds);
  return shifts && days.type.scale === 0 ? 'date' : undefined;
}

function arithmetic(node: Arithmetic, lookup: Lookup): Value {
  const { operator, at } = node;
  if (operator === '/') return refuse('division', 'values of rows are not divided', at);
  let left = valueOf(node.left, lookup);
  let right = valueOf(node.right, lookup);
  const kind = resultKind(operator, left, right);
  if (kind === undefined)
    return refuse('type_mismatch', `${operator} does not take these operands`, at);
  const larger = Math.max(left.type.scale, right.type.scale);
  if (operator !== '*') {
    left = rescaled(left, larger, at);
    right = rescaled(right, larger, at);
  }
  const scale = operator === '*' ? left.type.scale + right.type.scale : larger;
  const op = NAMES[operator];
  const type = { kind, scale, ...RANGES[op](left.type, right.type) };
  return operate(at, { op, left, right }, type);
}

export function constantOf(node: Constant): Value {
  if (node.kind === 'text') {
    const type: ValueType = { kind: 'label', scale: 0, min: 0n, max: 0n };
    return value({ op: 'text', text: node.value }, type);
  }
  if (node.kind === 'date') {
    const day = dayOf(node.value);
    return day === undefined
      ? refuse('literal_range', 'this is no day of the years 1 to 9999', node.at)
      : constant(day, 0, 'date');
  }
  const fits = within({ min: node.digits, max: node.digits }, INT64);
  if (!fits || node.scale > MAX_SCALE)
    refuse('literal_range', `a number fits in 64 bits, with ${MAX_SCALE} decimals`, node.at);
  return constant(node.digits, node.scale);
}

function negated(node: Expression, at: Expression['at'], lookup: Lookup): Value {
  // A literal has its sign before it is looked at: minus 2^63 fits, 2^63 does not.
  if (node.kind === 'number') return constantOf({ ...node, digits: -node.digits });
  const operand = valueOf(node, lookup);
  const { kind, scale, min, max } = operand.type;
  if (kind !== 'number') return refuse('type_mismatch', 'only a number has a sign', at);
  return operate(at, { op: 'negate', operand }, { kind, scale, min: -max, max: -min });
}

/** Types an expression, from its leaves up; `overflow_possible` names the first node that 64 bits may not hold. */
export function valueOf(expression: Expression, lookup: Lookup): Value {
  switch (expression.kind) {
    case 'column':
    case 'aggregate':
      return lookup(expression);
    case 'negate':
      return negated(expression.operand, expression.at, lookup);
    case 'arithmetic':
      return arithmetic(expression, lookup);
    default:
      return constantOf(expression);
  }
}

export const isNumeric = ({ type }: Value): boolean => NUMERIC.has(type.kind);
