import type { Schema, TableSchema } from '@glacis/shares';
import { compile, type CompileOptions, Refusal, REFUSAL_CODES } from '../index.js';

const people: TableSchema = {
  age: 'years',
  speed: { unit: 'km/h', type: 'INTEGER', min: 0, max: 300 },
  big: { type: 'BIGINT' },
  price: { type: 'DECIMAL', scale: 2, min: 0, max: '999.99' },
  city: { type: 'CATEGORY', categories: ['Bern', 'Oslo', 'Rome'] },
  name: { type: 'VARCHAR', length: 20 },
  born: { type: 'DATE', min: '1900-01-01', max: '2026-12-31' },
  id: { type: 'INTEGER', unique: true },
};
const one: Schema = new Map([['people', people]]);
const two: Schema = new Map<string, TableSchema>([
  ['people', people],
  ['visits', { person: 'id', cost: { type: 'INTEGER', min: 0, max: 1000 }, age: 'years' }],
]);

function refusalOf(sql: string, schema = one, options: Partial<CompileOptions> = {}): Refusal {
  try {
    compile(sql, schema, options);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error(`accepted: ${sql}`);
}

const JOIN = 'SELECT COUNT(*) FROM people p JOIN visits v ON p.id = v.person';

/** A query, its refusal, and the token it names; a caret stands before that token. */
const refused: [string, string, Schema?, Partial<CompileOptions>?][] = [
  ['syntax', 'SELECT age AS ^FROM t'],
  ['syntax', 'SELECT age FROM t WHERE age = ^#'],
  ['syntax', 'SELECT COUNT(*) FROM t ^-- all'],
  ['syntax', "SELECT COUNT(*) FROM t WHERE city = ^'Oslo"],
  ['syntax', 'SELECT age^ + 1 FROM t'.replace('^ +', ' ^+')],
  ['syntax', 'SELECT COUNT(*) FROM t WHERE ^age'],
  ['syntax', 'SELECT COUNT(*) FROM t WHERE (age ^= 1) + 1 > 0'],
  ['syntax', 'SELECT COUNT(*) FROM t WHERE age > 12^34x'.replace('12^34x', '^1234x')],
  ['statement', '^'],
  ['statement', '^DELETE FROM t'],
  ['statement', 'SELECT age FROM t; ^SELECT age FROM t'],
  ['unknown_table', 'SELECT COUNT(*) FROM ^nobody', two],
  ['unknown_table', 'SELECT COUNT(*) FROM people p WHERE ^q.age = 1'],
  ['unknown_column', 'SELECT COUNT(*) FROM t WHERE\n  ^height > 3'],
  ['unknown_column', 'SELECT COUNT(*) FROM t WHERE ^"AGE" > 3'],
  ['ambiguous_column', `${JOIN} WHERE ^age > 3`, two],
  ['type_mismatch', "SELECT COUNT(*) FROM t WHERE age ^= 'x'"],
  ['type_mismatch', 'SELECT COUNT(*) FROM t WHERE born ^> 3'],
  ['type_mismatch', 'SELECT COUNT(*) FROM t WHERE city ^= age'],
  ['type_mismatch', 'SELECT COUNT(*) FROM t WHERE born ^+ born > 3'],
  ['type_mismatch', 'SELECT ^SUM(city) FROM t'],
  ['type_mismatch', 'SELECT ^MIN(city) + 1 FROM t'],
  ['literal_range', 'SELECT COUNT(*) FROM t WHERE big > ^9223372036854775808'],
  ['literal_range', "SELECT COUNT(*) FROM t WHERE born > ^DATE '2023-02-29'"],
  ['literal_range', 'SELECT COUNT(*) FROM t WHERE price > ^1.1234567'],
  ['unknown_label', "SELECT COUNT(*) FROM t WHERE city = ^'Paris'"],
  ['unknown_label', "SELECT COUNT(*) FROM t WHERE city IN ('Oslo', ^'Paris')"],
  ['subquery', 'SELECT COUNT(*) FROM ^(SELECT age FROM t)'],
  ['subquery', 'SELECT COUNT(*) FROM t WHERE age IN (^SELECT age FROM t)'],
  ['subquery', 'SELECT COUNT(*) FROM t WHERE ^EXISTS (SELECT age FROM t)'],
  ['cte', '^WITH a AS (SELECT 1) SELECT age FROM t'],
  ['set_operation', 'SELECT age FROM t ^UNION SELECT age FROM t'],
  ['window', 'SELECT SUM(age) ^OVER () FROM t'],
  ['outer_join', 'SELECT COUNT(*) FROM people ^LEFT JOIN visits ON id = person', two],
  ['self_join', 'SELECT COUNT(*) FROM people a JOIN ^people b ON a.id = b.id', two],
  ['too_many_tables', `${JOIN} ^JOIN visits w ON p.id = w.person`, two],
  ['join_no_unique_key', 'SELECT COUNT(*) FROM people p ^JOIN visits v ON p.age = v.person', two],
  ['join_no_unique_key', 'SELECT COUNT(*) FROM people^, visits', two],
  ['not_grouped', 'SELECT ^age, COUNT(*) FROM t'],
  ['not_grouped', 'SELECT ^* FROM t GROUP BY age'],
  ['not_grouped', 'SELECT COUNT(*) FROM t GROUP BY city HAVING ^age > 3'],
  ['hash_output', 'SELECT ^name FROM t'],
  ['hash_output', 'SELECT ^name, COUNT(*) FROM t GROUP BY name'],
  ['hash_order', "SELECT COUNT(*) FROM t WHERE name ^< 'b'"],
  ['hash_order', 'SELECT ^MIN(name) FROM t'],
  ['order_not_output', 'SELECT age FROM t ORDER BY ^speed'],
  ['order_not_output', 'SELECT age FROM t ORDER BY ^2'],
  ['opening_only', 'SELECT VARIANCE(speed) AS v FROM t ORDER BY ^v'],
  ['opening_only', 'SELECT COUNT(*) FROM t HAVING SUM(age) ^/ COUNT(*) > 3'],
  ['opening_only', 'SELECT COUNT(*) FROM t HAVING ^STDDEV(age) > 3'],
  ['offset', 'SELECT age FROM t LIMIT 3 ^OFFSET 3'],
  ['offset', 'SELECT age FROM t LIMIT 3^, 3'],
  ['limit_not_constant', 'SELECT age FROM t LIMIT ^age'],
  ['limit_not_constant', 'SELECT age FROM t LIMIT ^1.5'],
  ['function', 'SELECT ^MEDIAN(age) FROM t'],
  ['function', 'SELECT COUNT(*) FROM t WHERE ^SUM(age) > 3'],
  ['function', 'SELECT SUM(^SUM(age)) FROM t'],
  ['function', 'SELECT SUM(^DISTINCT age) FROM t'],
  ['function', 'SELECT COUNT(DISTINCT age) ^FILTER (WHERE age > 3) FROM t'],
  ['function', 'SELECT VARIANCE(^age + 1) FROM t'.replace('^age +', 'age ^+')],
  ['division', 'SELECT SUM(age ^/ 2) FROM t'],
  ['like', "SELECT COUNT(*) FROM t WHERE name NOT ^LIKE 'a%'"],
  ['null_test', 'SELECT COUNT(*) FROM t WHERE age ^IS NOT NULL'],
  ['null_test', 'SELECT COUNT(*) FROM t WHERE age = ^NULL'],
  ['case_expression', 'SELECT COUNT(*) FROM t WHERE ^CASE WHEN age > 1 THEN 1 END = 1'],
  ['case_expression', 'SELECT AVG(CASE WHEN age > 1 THEN age ^ELSE 0 END) FROM t'],
  ['case_expression', 'SELECT SUM(CASE WHEN age > 1 THEN age ^ELSE 1 END) FROM t'],
  ['case_expression', 'SELECT SUM(CASE WHEN age > 1 THEN age ^WHEN age > 0 THEN 1 END) FROM t'],
  ['overflow_possible', 'SELECT ^SUM(age * id) FROM t'],
  ['overflow_possible', 'SELECT SUM(big ^+ 1) FROM t'],
  ['overflow_possible', 'SELECT ^SUM(big) FROM t'],
  ['overflow_possible', 'SELECT ^AVG(age * speed) FROM t', one, { avgScale: 4 }],
  ['expression_degree', 'SELECT SUM(age * id ^* speed) FROM t'],
  ['expression_degree', 'SELECT MIN(age ^+ id) FROM t'],
  ['expression_degree', 'SELECT SUM(age ^* age) FROM t', one, { minGroupSize: 1, maxDegree: 1 }],
  ['too_many_aggregates', 'SELECT SUM(age), ^MIN(age) FROM t', one, { maxAggregates: 1 }],
  [
    'too_many_aggregates',
    'SELECT SUM(age), MIN(age), MAX(age), COUNT(DISTINCT age), ^SUM(age + 1) FROM t',
  ],
  [
    'too_many_filters',
    `SELECT ${[1, 2, 3, 4].map((n) => `COUNT(*) FILTER (WHERE age > ${n})`).join()}, COUNT(*) FILTER (WHERE age ^= 5) FROM t`,
  ],
  ['extremes_refused', 'SELECT ^MIN(age) FROM t', one, { extremes: 'refuse' }],
  [
    'too_complex',
    `SELECT COUNT(*) FROM t WHERE age ^IN (${Array.from({ length: 65 }, (_, i) => i).join()})`,
  ],
];

describe('jobs.md 11.2: refusals', () => {
  it.each(refused)('%s: %s', (...[code, marked, schema, options]) => {
    const offset = marked.indexOf('^');
    const sql = marked.replace('^', '');
    const { code: found, at } = refusalOf(sql, schema, options);
    const before = sql.slice(0, offset).split('\n');
    expect({ code: found, at }).toEqual({
      code,
      at: {
        offset,
        line: before.length,
        column: before.at(-1)!.length + 1,
        token: expect.any(String),
      },
    });
    expect(sql.slice(offset).startsWith(at.token)).toBe(true);
  });

  it('has a case of every code', () => {
    expect([...new Set(refused.map(([code]) => code))].toSorted()).toEqual(
      [...REFUSAL_CODES].toSorted(),
    );
  });

  it('takes 2,000 tokens and 32 nested brackets, not one more', () => {
    const nested = (depth: number): string =>
      `SELECT COUNT(*) FROM t WHERE ${'('.repeat(depth)}age = 1${')'.repeat(depth)}`;
    expect(() => compile(nested(32), one)).not.toThrow();
    expect(refusalOf(nested(33)).code).toBe('too_complex');
    const long = (tokens: number): string =>
      `SELECT SUM(speed${'+ 1'.repeat((tokens - 8) / 2)}) FROM t;`;
    expect(() => compile(long(2000), one)).not.toThrow();
    expect(refusalOf(`${long(2000)};`).code).toBe('too_complex');
  });
});

describe('jobs.md 11.2, 11.3: what is accepted', () => {
  const plan = (sql: string, schema = one, options: Partial<CompileOptions> = {}) =>
    compile(sql, schema, options).plan;

  it('takes names as the standard does: quoted exactly, others in any case', () => {
    expect(plan('select "age" from t where SPEED < 3 and `big` = 1').outputs[0].name).toBe('age');
  });

  it('reads CASE as FILTER, COUNT of anything as COUNT(*), each aggregate once', () => {
    const { aggregates, filters } = plan(
      'SELECT SUM(CASE WHEN speed > 3 THEN age ELSE 0 END), SUM(age) FILTER (WHERE speed > 3), COUNT(1), COUNT(age), COUNT(*) FROM t',
    );
    expect(aggregates.map(({ function: name, filter }) => [name, filter])).toEqual([
      ['SUM', 0],
      ['COUNT', undefined],
    ]);
    expect(filters).toHaveLength(1);
  });

  it('gives each column the width of its range', () => {
    const widths = (column: string) => {
      const { where } = plan(`SELECT COUNT(*) FROM t WHERE ${column} = ${column}`);
      return where?.op === 'compare' ? [where.width, where.signed] : where;
    };
    expect(['age', 'speed', 'big', 'price', 'city', 'born'].map(widths)).toEqual([
      [32, true],
      [9, false],
      [64, true],
      [17, false],
      [2, false],
      [16, true],
    ]);
  });

  it('brings both sides to the larger scale', () => {
    const { where } = plan('SELECT COUNT(*) FROM t WHERE price > 1.5');
    expect(where).toMatchObject({ relation: '>', right: { op: 'constant', value: 150n } });
    expect(plan('SELECT COUNT(*) FROM t WHERE price = 0.125').where).toMatchObject({
      left: { op: 'multiply', type: { scale: 3 } },
      right: { value: 125n },
    });
  });

  it('runs an expression in 32 bits while everything fits, in 64 from then on', () => {
    const ring = (expression: string) => {
      const [{ argument }] = plan(`SELECT SUM(${expression}) FROM t`).aggregates;
      return argument?.ring;
    };
    expect(ring('speed * speed')).toBe(32);
    expect(ring('age + 1')).toBe(64);
    expect(ring('speed * 10000000')).toBe(64);
  });

  it('decides comparisons that the ranges decide', () => {
    expect(plan('SELECT COUNT(*) FROM t WHERE age < 3000000000').where).toEqual({
      op: 'always',
      holds: true,
    });
    expect(plan('SELECT COUNT(*) FROM t WHERE speed IN (400, -1)').where).toEqual({
      op: 'always',
      holds: false,
    });
  });

  it('divides an average when opened if SUM and COUNT of the same rows are shown and nothing needs it', () => {
    const source = (sql: string) => plan(sql).outputs[2].source.op;
    expect(source('SELECT SUM(age), COUNT(*), AVG(age) FROM t')).toBe('opening');
    expect(source('SELECT SUM(age), COUNT(*), AVG(age) FROM t HAVING AVG(age) > 3')).toBe(
      'aggregate',
    );
    expect(source('SELECT SUM(age), COUNT(*), AVG(age) AS a FROM t ORDER BY a')).toBe('aggregate');
    expect(source('SELECT SUM(age), COUNT(*), AVG(speed) FROM t')).toBe('aggregate');
  });

  it('warns of raw rows, of a join that counts its key, and of components that are opened', () => {
    const codes = (sql: string, schema = one) =>
      compile(sql, schema).warnings.map(({ code }) => code);
    expect(codes('SELECT age FROM t')).toEqual(['raw_rows']);
    expect(codes(JOIN, two)).toEqual(['unit_missing']);
    expect(codes('SELECT SUM(age) / SUM(speed) FROM t')).toEqual(['reveals_components']);
    expect(codes('SELECT SUM(age), SUM(age) + 1 FROM t')).toEqual([]);
  });

  it('asks owners for no more than the query uses', () => {
    const { policyNeeded } = compile(
      'SELECT city, SUM(age), VARIANCE(speed), MIN(price) FROM t WHERE big > 3 GROUP BY city',
      one,
    );
    expect(policyNeeded.get('people')).toEqual({
      default: 'deny',
      columns: {
        city: { group: true },
        age: { aggregate: ['SUM'] },
        speed: { aggregate: ['VARIANCE'] },
        price: { aggregate: ['MIN'] },
        big: { filter: true },
      },
      extremes: true,
    });
  });

  it('counts units where one is declared, and says all of it in the leakage statement', () => {
    const unit: Schema = new Map([
      ['t', { ...people, id: { type: 'INTEGER', privacy_unit: true } as const }],
    ]);
    const { plan, leakage } = compile('SELECT COUNT(*) FROM t', unit, { minGroupSize: 7 });
    expect(plan.limits).toMatchObject({ counted: 'unit', min_group_size: 7 });
    expect(leakage.join('\n')).toContain('at least 7 persons');
  });

  it('makes the same bytes of the same text', () => {
    const sql = "SELECT city, AVG(age) FROM t WHERE name IN ('a', 'b') GROUP BY city LIMIT 3";
    const [a, b] = [compile(sql, one), compile(sql, one)];
    expect(a.planText).toBe(b.planText);
    expect(a.planHash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(compile(sql.replace('3', '4'), one).planHash).not.toBe(a.planHash);
    expect(JSON.parse(a.planText)).toMatchObject({ version: 1, shape: 'groups', limit: 3 });
  });
});
