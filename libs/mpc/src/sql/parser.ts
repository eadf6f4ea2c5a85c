import { Cursor } from './cursor.js';
import { readColumn, readCondition, readExpression } from './expressions.js';
import type { ColumnName, Item, Join, OrderKey, Query, TableName } from './syntax.js';

function readItem(cursor: Cursor): Item {
  const expression = readExpression(cursor);
  if (cursor.take('AS') ?? cursor.isName()) return { expression, alias: cursor.name('a name') };
  return { expression };
}

function readList<T>(cursor: Cursor, read: (cursor: Cursor) => T): T[] {
  const list = [read(cursor)];
  while (cursor.take(',')) list.push(read(cursor));
  return list;
}

function readTable(cursor: Cursor): TableName {
  if (cursor.is('(')) cursor.refuse('subquery', 'there are no subqueries');
  const name = cursor.name('a table');
  if (cursor.is('(')) cursor.refuse('function', 'there are no table functions', name.at);
  if (cursor.take('AS') ?? cursor.isName()) return { name, alias: cursor.name('an alias') };
  return { name };
}

function readJoin(cursor: Cursor): Join | undefined {
  if (cursor.is('LEFT', 'RIGHT', 'FULL', 'OUTER'))
    cursor.refuse('outer_join', 'a join is an inner one');
  if (cursor.is(',', 'CROSS', 'NATURAL'))
    cursor.refuse('join_no_unique_key', 'a join names its columns after ON');
  const { at } = cursor.peek();
  const inner = cursor.take('INNER');
  if (!inner && !cursor.is('JOIN')) return undefined;
  cursor.expect('JOIN');
  const table = readTable(cursor);
  if (cursor.is('USING')) cursor.refuse('syntax', 'a join names its columns after ON');
  cursor.expect('ON');
  const on: Join['on'] = [];
  do {
    const left = readColumn(cursor);
    cursor.expect('=');
    on.push([left, readColumn(cursor)]);
  } while (cursor.take('AND'));
  if (cursor.is('INNER', 'JOIN', 'LEFT', 'RIGHT', 'FULL', 'CROSS', 'NATURAL', ','))
    cursor.refuse('too_many_tables', 'a query joins at most two tables');
  return { table, on, at };
}

function readOrderKey(cursor: Cursor): OrderKey {
  const { kind, value, at } = cursor.peek();
  let key: OrderKey['key'];
  if (kind === 'number') {
    cursor.next();
    if (value.includes('.')) cursor.refuse('order_not_output', 'no output has this number', at);
    key = { kind: 'ordinal', ordinal: BigInt(value), at };
  } else key = readColumn(cursor, 'an output column');
  const opens = cursor.is('(', '+', '-', '*', '/');
  if (opens) cursor.refuse('order_not_output', 'the order names an output column', at);
  const descending = cursor.take('ASC', 'DESC')?.value === 'DESC';
  return { key, descending };
}

function readLimit(cursor: Cursor): Query['limit'] {
  if (!cursor.take('LIMIT')) return undefined;
  const { kind, value, at } = cursor.next();
  if (kind !== 'number' || value.includes('.'))
    cursor.refuse('limit_not_constant', 'LIMIT takes an integer', at);
  if (cursor.is('+', '-', '*', '/'))
    cursor.refuse('limit_not_constant', 'LIMIT takes an integer', at);
  if (cursor.is(',')) cursor.refuse('offset', 'there is no OFFSET');
  return { count: BigInt(value), at };
}

function readGroupBy(cursor: Cursor): ColumnName[] {
  if (!cursor.take('GROUP')) return [];
  cursor.expect('BY');
  return readList(cursor, (cursor) => readColumn(cursor));
}

function readOrderBy(cursor: Cursor): OrderKey[] {
  if (!cursor.take('ORDER')) return [];
  cursor.expect('BY');
  return readList(cursor, readOrderKey);
}

function begin(cursor: Cursor): void {
  if (cursor.is('WITH')) cursor.refuse('cte', 'there is no WITH');
  if (!cursor.take('SELECT')) cursor.refuse('statement', 'a query is one SELECT statement');
}

function end(cursor: Cursor): void {
  if (cursor.is('UNION', 'INTERSECT', 'EXCEPT'))
    cursor.refuse('set_operation', 'a query is one SELECT, without UNION, INTERSECT and EXCEPT');
  if (cursor.is('OFFSET')) cursor.refuse('offset', 'there is no OFFSET');
  if (cursor.is('WINDOW')) cursor.refuse('window', 'there are no window functions');
  if (cursor.take(';') && cursor.peek().kind !== 'end')
    cursor.refuse('statement', 'a query is one statement');
  if (cursor.peek().kind !== 'end') cursor.refuse('syntax', 'the query should end here');
}

/**
 * Reads one query of the subset (jobs.md 11.2).
 * @throws Refusal with the place of the token that does not fit.
 */
export function parse(text: string): Query {
  const cursor = new Cursor(text);
  begin(cursor);
  const distinct = cursor.take('DISTINCT') !== undefined;
  const { at } = cursor.peek();
  const items = cursor.take('*') ? 'all' : readList(cursor, readItem);
  cursor.expect('FROM');
  const query: Query = { distinct, items, table: readTable(cursor), groupBy: [], orderBy: [], at };
  query.join = readJoin(cursor);
  if (cursor.take('WHERE')) query.where = readCondition(cursor);
  query.groupBy = readGroupBy(cursor);
  if (cursor.take('HAVING')) query.having = readCondition(cursor);
  query.orderBy = readOrderBy(cursor);
  query.limit = readLimit(cursor);
  end(cursor);
  return query;
}
