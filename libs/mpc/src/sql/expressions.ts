import { readCall } from './aggregates.js';
import type { Cursor } from './cursor.js';
import type { Token } from './lexer.js';
import type {
  ArithmeticOperator,
  ColumnName,
  Comparison,
  Condition,
  Constant,
  Expression,
} from './syntax.js';

/** Most constants of one IN (jobs.md 11.2). */
export const MAX_IN = 64;

type Node = Expression | Condition;

const CONDITIONS = new Set<string>(['and', 'or', 'not', 'compare', 'between', 'in']);
const isCondition = (node: Node): node is Condition => CONDITIONS.has(node.kind);

const NULL_TEST = 'there is no NULL';
const SUBQUERY = 'there are no subqueries';

export function numberOf({ value, at }: Token): Constant {
  const [whole, fraction = ''] = value.split('.');
  return { kind: 'number', digits: BigInt(whole + fraction), scale: fraction.length, at };
}

export function readColumn(cursor: Cursor, what = 'a column'): ColumnName {
  const first = cursor.name(what);
  if (!cursor.take('.')) return { kind: 'column', name: first, at: first.at };
  return { kind: 'column', table: first, name: cursor.name('a column'), at: first.at };
}

function asExpression(cursor: Cursor, node: Node): Expression {
  if (isCondition(node)) cursor.refuse('syntax', 'a value is expected here', node.at);
  return node;
}

function asCondition(cursor: Cursor, node: Node): Condition {
  if (!isCondition(node)) cursor.refuse('syntax', 'a condition is expected here', node.at);
  return node;
}

/** One of a few words that begin nothing of the subset has a code of its own. */
function refuseWord(cursor: Cursor): void {
  if (cursor.is('SELECT', 'EXISTS', 'WITH')) cursor.refuse('subquery', SUBQUERY);
  if (cursor.is('NULL')) cursor.refuse('null_test', NULL_TEST);
  if (cursor.is('CASE'))
    cursor.refuse('case_expression', 'CASE stands directly in SUM, AVG, MIN, MAX or COUNT only');
}

function readBracket(cursor: Cursor): Node {
  cursor.expect('(');
  const inner = cursor.nested(() => readOr(cursor));
  cursor.expect(')');
  return inner;
}

function readPrimary(cursor: Cursor): Node {
  refuseWord(cursor);
  const { kind, at } = cursor.peek();
  if (cursor.is('(')) return readBracket(cursor);
  if (kind === 'number') return numberOf(cursor.next());
  if (kind === 'text') return { kind: 'text', value: cursor.next().value, at };
  if (cursor.is('DATE') && cursor.peek(1).kind === 'text') {
    cursor.next();
    return { kind: 'date', value: cursor.next().value, at };
  }
  if (kind === 'word' && cursor.isName() && cursor.opensBracket(1))
    return readCall(cursor, { expression: readExpression, condition: readCondition });
  return readColumn(cursor, 'a value');
}

function readFactor(cursor: Cursor): Node {
  const minus = cursor.take('-');
  if (!minus) return readPrimary(cursor);
  const operand = asExpression(
    cursor,
    cursor.nested(() => readFactor(cursor)),
  );
  return { kind: 'negate', operand, at: minus.at };
}

function readChain(cursor: Cursor, operators: string[], read: (cursor: Cursor) => Node): Node {
  let left = read(cursor);
  for (let token = cursor.take(...operators); token; token = cursor.take(...operators)) {
    left = {
      kind: 'arithmetic',
      operator: token.value as ArithmeticOperator,
      left: asExpression(cursor, left),
      right: asExpression(cursor, read(cursor)),
      at: token.at,
    };
  }
  return left;
}

const readTerm = (cursor: Cursor): Node => readChain(cursor, ['*', '/'], readFactor);
const readSum = (cursor: Cursor): Node => readChain(cursor, ['+', '-'], readTerm);

/** number | 'text' | DATE 'text'; a number may have a sign. */
function readConstant(cursor: Cursor): Constant {
  if (cursor.is('(')) cursor.refuse('syntax', 'a constant is expected here');
  const minus = cursor.take('-');
  const node = readPrimary(cursor);
  if (node.kind === 'number') return minus ? { ...node, digits: -node.digits, at: minus.at } : node;
  if (minus === undefined && (node.kind === 'text' || node.kind === 'date')) return node;
  return cursor.refuse('syntax', 'a constant is expected here', node.at);
}

function readIn(cursor: Cursor, operand: Expression, negated: boolean): Condition {
  const { at } = cursor.expect('IN');
  cursor.expect('(');
  if (cursor.is('SELECT', 'WITH')) cursor.refuse('subquery', SUBQUERY);
  const values = [readConstant(cursor)];
  while (cursor.take(',')) {
    values.push(readConstant(cursor));
    if (values.length > MAX_IN)
      cursor.refuse('too_complex', `IN takes at most ${MAX_IN} constants`, at);
  }
  cursor.expect(')');
  return { kind: 'in', operand, values, negated, at };
}

function readBetween(cursor: Cursor, operand: Expression, negated: boolean): Condition {
  const { at } = cursor.expect('BETWEEN');
  const low = readConstant(cursor);
  cursor.expect('AND');
  return { kind: 'between', operand, low, high: readConstant(cursor), negated, at };
}

const COMPARISONS = ['=', '<>', '!=', '<', '<=', '>', '>='];

function readPredicate(cursor: Cursor): Node {
  const left = readSum(cursor);
  if (cursor.is('IS')) cursor.refuse('null_test', NULL_TEST);
  const relation = cursor.take(...COMPARISONS);
  if (relation) {
    return {
      kind: 'compare',
      relation: (relation.value === '!=' ? '<>' : relation.value) as Comparison,
      left: asExpression(cursor, left),
      right: asExpression(cursor, readSum(cursor)),
      at: relation.at,
    };
  }
  const negated = cursor.is('NOT') && cursor.next() !== undefined;
  if (cursor.is('LIKE', 'ILIKE', 'SIMILAR')) cursor.refuse('like', 'there is no matching of text');
  if (cursor.is('IN')) return readIn(cursor, asExpression(cursor, left), negated);
  if (negated || cursor.is('BETWEEN'))
    return readBetween(cursor, asExpression(cursor, left), negated);
  return left;
}

function readNot(cursor: Cursor): Node {
  const word = cursor.take('NOT');
  if (!word) return readPredicate(cursor);
  const operand = asCondition(
    cursor,
    cursor.nested(() => readNot(cursor)),
  );
  return { kind: 'not', operand, at: word.at };
}

function readJoined(cursor: Cursor, word: 'AND' | 'OR', read: (cursor: Cursor) => Node): Node {
  const first = read(cursor);
  const { at } = cursor.peek();
  if (!cursor.is(word)) return first;
  const operands = [asCondition(cursor, first)];
  while (cursor.take(word)) operands.push(asCondition(cursor, read(cursor)));
  return { kind: word === 'AND' ? 'and' : 'or', operands, at };
}

const readAnd = (cursor: Cursor): Node => readJoined(cursor, 'AND', readNot);
const readOr = (cursor: Cursor): Node => readJoined(cursor, 'OR', readAnd);

/** A value; one grammar reads values and conditions, so that a bracket needs no second try. */
export const readExpression = (cursor: Cursor): Expression => asExpression(cursor, readSum(cursor));

export const readCondition = (cursor: Cursor): Condition => asCondition(cursor, readOr(cursor));
