import { add, decimal, divide, multiply, negate, root, type Rational } from './rational.js';
import type { OpeningExpression } from './result.js';

/** The opened value of an aggregate in one row; null where it is held back. */
export type Lookup = (aggregate: number) => Rational | null;

type Statistic = Extract<OpeningExpression, { op: 'variance' }>;
type Binary = Extract<OpeningExpression, { left: OpeningExpression }>;

const OPERATIONS: Record<Binary['op'], (a: Rational, b: Rational) => Rational | null> = {
  add,
  subtract: (a, b) => add(a, negate(b)),
  multiply,
  divide,
};

/** The exact value of an item (jobs.md 7.3); null where an operand is null or a divisor 0. */
export function evaluate(node: OpeningExpression, valueOf: Lookup): Rational | null {
  if (node.op === 'component') return valueOf(node.aggregate);
  if (node.op === 'number') return decimal(BigInt(node.digits), node.scale);
  if (node.op === 'variance') return statistic(node, valueOf);
  if (node.op === 'negate') {
    const operand = evaluate(node.operand, valueOf);
    return operand && negate(operand);
  }
  const left = evaluate(node.left, valueOf);
  const right = evaluate(node.right, valueOf);
  return left && right && OPERATIONS[node.op](left, right);
}

/** (Σx² − (Σx)²/n) / n, or / (n − 1) for a sample; of STDDEV the root of it. */
function statistic(node: Statistic, valueOf: Lookup): Rational | null {
  const [sum, squares, count] = [node.sum, node.squares, node.count].map(valueOf);
  if (!sum || !squares || !count) return null;
  const mean = divide(multiply(sum, sum), count);
  const divisor = node.sample ? add(count, decimal(-1n, 0)) : count;
  const variance = mean && divide(add(squares, negate(mean)), divisor);
  return variance && node.root ? root(variance) : variance;
}
