import type { Cursor } from './cursor.js';
import type { AggregateCall, AggregateFunction, Condition, Expression } from './syntax.js';

/** What reads the parts of an aggregate; given by the grammar around it, which is recursive. */
export interface Readers {
  expression(cursor: Cursor): Expression;
  condition(cursor: Cursor): Condition;
}

type Argument = Pick<AggregateCall, 'function' | 'argument' | 'filter'>;

const FUNCTIONS: Readonly<Record<string, AggregateFunction>> = {
  COUNT: 'COUNT',
  SUM: 'SUM',
  AVG: 'AVG',
  MIN: 'MIN',
  MAX: 'MAX',
  VARIANCE: 'VAR_SAMP',
  VAR_SAMP: 'VAR_SAMP',
  VAR_POP: 'VAR_POP',
  STDDEV: 'STDDEV_SAMP',
  STDDEV_SAMP: 'STDDEV_SAMP',
  STDDEV_POP: 'STDDEV_POP',
};

/** Variances and deviations: they take a bare column and no FILTER. */
export const isStatistic = (name: AggregateFunction): boolean =>
  name.startsWith('VAR') || name.startsWith('STDDEV');

const ONE_CASE = 'CASE stands alone in an aggregate, with one WHEN and at most ELSE 0 in a SUM';

/** CASE WHEN c THEN x [ELSE 0] END, which is FILTER (WHERE c) over x. */
function caseArgument(cursor: Cursor, call: AggregateFunction, readers: Readers): Argument {
  const begin = cursor.expect('CASE').at;
  if (isStatistic(call) || !cursor.is('WHEN')) cursor.refuse('case_expression', ONE_CASE, begin);
  cursor.expect('WHEN');
  const filter = cursor.nested(() => readers.condition(cursor));
  cursor.expect('THEN');
  const argument = cursor.nested(() => readers.expression(cursor));
  const otherwise = cursor.take('ELSE');
  if (otherwise) {
    const zero = cursor.next();
    const isZero = zero.kind === 'number' && zero.value === '0' && cursor.is('END');
    if (call !== 'SUM' || !isZero) cursor.refuse('case_expression', ONE_CASE, otherwise.at);
  }
  if (!cursor.take('END')) cursor.refuse('case_expression', ONE_CASE);
  return { function: call, argument, filter };
}

function countArgument(cursor: Cursor, readers: Readers): Argument {
  if (cursor.take('*')) return { function: 'COUNT' };
  const distinct = cursor.take('DISTINCT');
  const argument = readers.expression(cursor);
  if (distinct) {
    if (argument.kind !== 'column')
      cursor.refuse('function', 'COUNT(DISTINCT …) takes a bare column', argument.at);
    return { function: 'COUNT_DISTINCT', argument };
  }
  const integer = argument.kind === 'number' && argument.scale === 0;
  if (argument.kind !== 'column' && !integer)
    cursor.refuse('function', 'COUNT takes *, a column or an integer', argument.at);
  return { function: 'COUNT', argument };
}

function plainArgument(cursor: Cursor, call: AggregateFunction, readers: Readers): Argument {
  if (cursor.is('*', 'DISTINCT')) cursor.refuse('function', `${call} takes neither * nor DISTINCT`);
  const argument = readers.expression(cursor);
  if (isStatistic(call) && argument.kind !== 'column')
    cursor.refuse('function', 'variances and deviations take a bare column', argument.at);
  return { function: call, argument };
}

function filterOf(cursor: Cursor, call: Argument, readers: Readers): Condition {
  const { at } = cursor.expect('FILTER');
  if (call.filter) cursor.refuse('case_expression', 'CASE and FILTER do not stand together', at);
  if (call.function === 'COUNT_DISTINCT' || isStatistic(call.function))
    cursor.refuse('function', 'this aggregate takes no FILTER', at);
  cursor.expect('(');
  cursor.expect('WHERE');
  const filter = cursor.nested(() => readers.condition(cursor));
  cursor.expect(')');
  return filter;
}

/** A call: a name with its opening bracket stands next. */
export function readCall(cursor: Cursor, readers: Readers): AggregateCall {
  const { value, at } = cursor.next();
  const call = FUNCTIONS[value];
  if (!Object.hasOwn(FUNCTIONS, value))
    cursor.refuse('function', `${at.token} is not one of the functions of the subset`, at);
  cursor.expect('(');
  if (cursor.is('SELECT', 'WITH')) cursor.refuse('subquery', 'there are no subqueries');
  const inner = cursor.nested(() => {
    if (cursor.is('CASE')) return caseArgument(cursor, call, readers);
    return call === 'COUNT' ? countArgument(cursor, readers) : plainArgument(cursor, call, readers);
  });
  cursor.expect(')');
  if (cursor.is('FILTER')) inner.filter = filterOf(cursor, inner, readers);
  if (cursor.is('OVER')) cursor.refuse('window', 'there are no window functions');
  return { kind: 'aggregate', ...inner, at };
}
