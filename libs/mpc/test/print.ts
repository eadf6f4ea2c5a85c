import type { Condition, Expression, Query } from '../src/sql/syntax.js';

const quote = (text: string, mark: string): string =>
  mark + text.replaceAll(mark, mark + mark) + mark;
const name = (n: { text: string; quoted: boolean }): string =>
  n.quoted ? quote(n.text, '"') : n.text;

const decimal = (digits: bigint, scale: number): string => {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  const sign = digits < 0n ? '-' : '';
  return scale === 0 ? sign + whole : `${sign}${whole}.${text.slice(-scale)}`;
};

function call(node: Expression & { kind: 'aggregate' }): string {
  const argument = node.argument ? expression(node.argument) : '*';
  const [word, distinct] = node.function.startsWith('COUNT_')
    ? ['COUNT', 'DISTINCT ']
    : [node.function, ''];
  const filter = node.filter ? ` FILTER (WHERE ${condition(node.filter)})` : '';
  return `${word}(${distinct}${argument})${filter}`;
}

export function expression(node: Expression): string {
  switch (node.kind) {
    case 'column':
      return (node.table ? `${name(node.table)}.` : '') + name(node.name);
    case 'number':
      return decimal(node.digits, node.scale);
    case 'text':
      return quote(node.value, "'");
    case 'date':
      return `DATE ${quote(node.value, "'")}`;
    case 'negate':
      return `- (${expression(node.operand)})`;
    case 'arithmetic':
      return `(${expression(node.left)}) ${node.operator} (${expression(node.right)})`;
    default:
      return call(node);
  }
}

export function condition(node: Condition): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.operands.map((part) => `(${condition(part)})`).join(` ${node.kind} `);
    case 'not':
      return `NOT (${condition(node.operand)})`;
    case 'compare':
      return `${expression(node.left)} ${node.relation} ${expression(node.right)}`;
    case 'between':
      return `${expression(node.operand)} ${node.negated ? 'NOT ' : ''}BETWEEN ${expression(node.low)} AND ${expression(node.high)}`;
    default:
      return `${expression(node.operand)} ${node.negated ? 'NOT ' : ''}IN (${node.values.map(expression).join(', ')})`;
  }
}

/** A query as text that reads as the same query. */
export function print(query: Query): string {
  const list = (parts: string[], word: string): string =>
    parts.length > 0 ? ` ${word} ${parts.join(', ')}` : '';
  const items =
    query.items === 'all'
      ? '*'
      : query.items
          .map((i) => expression(i.expression) + (i.alias ? ` AS ${name(i.alias)}` : ''))
          .join(', ');
  const order = query.orderBy.map(
    ({ key, descending }) =>
      (key.kind === 'ordinal' ? key.ordinal.toString() : expression(key)) +
      (descending ? ' DESC' : ''),
  );
  return [
    `SELECT ${query.distinct ? 'DISTINCT ' : ''}${items} FROM ${name(query.table.name)}`,
    query.table.alias ? ` ${name(query.table.alias)}` : '',
    query.join
      ? ` JOIN ${name(query.join.table.name)} ON ${query.join.on.map((pair) => pair.map(expression).join(' = ')).join(' AND ')}`
      : '',
    query.where ? ` WHERE ${condition(query.where)}` : '',
    list(query.groupBy.map(expression), 'GROUP BY'),
    query.having ? ` HAVING ${condition(query.having)}` : '',
    list(order, 'ORDER BY'),
    query.limit ? ` LIMIT ${query.limit.count}` : '',
  ].join('');
}
