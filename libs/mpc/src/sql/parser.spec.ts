import { SchemaError, type Schema } from '@glacis/shares';
import fc from 'fast-check';
import { print } from '../../test/print.js';
import { compile, Refusal } from '../index.js';
import { parse } from './parser.js';
import type { AggregateCall, Condition, Constant, Expression, Query } from './syntax.js';

const at = { offset: 0, line: 1, column: 1, token: '' };
const runs = Number(process.env['GLACIS_FUZZ_RUNS'] ?? 300);

const name = fc.oneof(
  fc
    .constantFrom('age', 'Speed', 'x_1', 'date', 'count', 'été')
    .map((text) => ({ text, quoted: false, at })),
  fc.string({ minLength: 1, maxLength: 8 }).map((text) => ({ text, quoted: true, at })),
);
const column = fc
  .record({ table: fc.option(name, { nil: undefined }), name })
  .map(({ table, name }) => ({ kind: 'column', ...(table ? { table } : {}), name, at }) as const);
const number = fc
  .record({ digits: fc.bigInt({ min: 0n, max: 10n ** 20n }), scale: fc.nat(8) })
  .map((parts) => ({ kind: 'number', ...parts, at }) as const);
const negative = number.map((node) => ({ ...node, digits: -node.digits }));
const text = fc.string().map((value) => ({ kind: 'text', value, at }) as const);
const date = fc.string().map((value) => ({ kind: 'date', value, at }) as const);
const constant: fc.Arbitrary<Constant> = fc.oneof(number, text, date);
const bound: fc.Arbitrary<Constant> = fc.oneof(
  constant,
  negative.filter(({ digits }) => digits !== 0n),
);

interface Nodes {
  expression: Expression;
  call: AggregateCall;
  condition: Condition;
}
const nodes = fc.letrec<Nodes>((tie: fc.LetrecTypedTie<Nodes>) => ({
  call: fc.record({
    kind: fc.constant('aggregate' as const),
    function: fc.constantFrom('SUM', 'AVG', 'MIN', 'MAX'),
    argument: tie('expression'),
    at: fc.constant(at),
  }),
  expression: fc.oneof(
    { depthSize: 'small', maxDepth: 4, withCrossShrink: true },
    column,
    constant,
    fc.record({
      kind: fc.constant('arithmetic' as const),
      operator: fc.constantFrom('+', '-', '*', '/'),
      left: tie('expression'),
      right: tie('expression'),
      at: fc.constant(at),
    }),
    fc.record({
      kind: fc.constant('negate' as const),
      operand: tie('expression'),
      at: fc.constant(at),
    }),
    tie('call'),
  ),
  condition: fc.oneof(
    { depthSize: 'small', maxDepth: 4, withCrossShrink: true },
    fc.record({
      kind: fc.constant('compare' as const),
      relation: fc.constantFrom('=', '<>', '<', '<=', '>', '>='),
      left: tie('expression'),
      right: tie('expression'),
      at: fc.constant(at),
    }),
    fc.record({
      kind: fc.constant('between' as const),
      operand: tie('expression'),
      low: bound,
      high: bound,
      negated: fc.boolean(),
      at: fc.constant(at),
    }),
    fc.record({
      kind: fc.constant('in' as const),
      operand: tie('expression'),
      values: fc.array(bound, { minLength: 1, maxLength: 4 }),
      negated: fc.boolean(),
      at: fc.constant(at),
    }),
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      operands: fc.array(tie('condition'), { minLength: 2, maxLength: 3 }),
      at: fc.constant(at),
    }),
    fc.record({
      kind: fc.constant('not' as const),
      operand: tie('condition'),
      at: fc.constant(at),
    }),
  ),
}));

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const query: fc.Arbitrary<Query> = fc.record({
  distinct: fc.boolean(),
  items: fc.oneof(
    fc.constant('all' as const),
    fc.array(fc.record({ expression: nodes.expression, alias: maybe(name) }), {
      minLength: 1,
      maxLength: 3,
    }),
  ),
  table: fc.record({ name, alias: maybe(name) }),
  join: maybe(
    fc.record({
      table: fc.record({ name }),
      on: fc.array(fc.tuple(column, column), { minLength: 1, maxLength: 2 }),
      at: fc.constant(at),
    }),
  ),
  where: maybe(nodes.condition),
  groupBy: fc.array(column, { maxLength: 2 }),
  having: maybe(nodes.condition),
  orderBy: fc.array(
    fc.record({
      key: fc.oneof(
        column,
        fc.nat().map((n) => ({ kind: 'ordinal' as const, ordinal: BigInt(n), at })),
      ),
      descending: fc.boolean(),
    }),
    { maxLength: 2 },
  ),
  limit: maybe(fc.nat().map((n) => ({ count: BigInt(n), at }))),
  at: fc.constant(at),
});

/** The tree alone: places and absent members left out. */
const bare = (tree: unknown): unknown =>
  JSON.parse(
    JSON.stringify(tree, (key, value: unknown) => {
      if (key === 'at') return undefined;
      return typeof value === 'bigint' ? `${value}n` : value;
    }),
  );

const pieces = (
  'SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT JOIN ON AND OR NOT IN BETWEEN CASE WHEN THEN ELSE END FILTER DISTINCT ' +
  "COUNT SUM AVG MIN VARIANCE ( ( ) ) , * + - / . ; = <> < >= 0 1 2.5 99999999999999999999 'x' 'Oslo' DATE '2020-01-01' " +
  'age city big t people "age" `q` NULL AS AS UNION OVER'
).split(' ');
const schema: Schema = new Map([
  [
    'people',
    {
      age: 'years',
      big: { type: 'BIGINT' },
      city: { type: 'CATEGORY', categories: ['Oslo', 'x'] },
    },
  ],
]);

describe('jobs.md 11.2: the parser', () => {
  it('reads what is printed as the same query', () => {
    fc.assert(
      fc.property(query, (tree) => {
        expect(bare(parse(print(tree)))).toEqual(bare(tree));
      }),
      { numRuns: runs },
    );
  });

  const answers = (sql: string): void => {
    try {
      compile(sql, schema);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { offset, token } = error.at;
      expect(sql.slice(offset, offset + token.length)).toBe(token);
    }
  };

  it('answers any text with a plan or a refusal that has its place', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), answers), {
      numRuns: runs,
    });
  });

  it('answers any order of tokens so, and any query that prints', () => {
    const words = fc.array(fc.constantFrom(...pieces), { maxLength: 40 });
    fc.assert(
      fc.property(words, (list) => answers(`SELECT ${list.join(' ')}`)),
      { numRuns: runs * 3 },
    );
    const known = fc.array(fc.constantFrom(...pieces), { maxLength: 12 });
    fc.assert(
      fc.property(known, (list) => answers(`SELECT COUNT(*) FROM people WHERE ${list.join(' ')}`)),
      { numRuns: runs * 3 },
    );
    fc.assert(
      fc.property(query, (tree) => answers(print(tree))),
      { numRuns: runs },
    );
  });

  it('says of a faulty schema that it is one', () => {
    for (const declaration of [
      { type: 'INTEGER', min: 2 ** 31 },
      { type: 'CATEGORY', categories: ['a'] },
      { type: 'VARCHAR', length: 101 },
      { type: 'DATE', min: '2023-02-29' },
      { type: 'DECIMAL', scale: 7 },
      { type: 'DECIMAL', scale: 1, max: '0.25' },
    ] as const)
      expect(() => compile('SELECT COUNT(*) FROM t', new Map([['t', { a: declaration }]]))).toThrow(
        SchemaError,
      );
  });
});
