// `npm run conformance -- sql tpch`: queries of TPC-H as far as the subset takes them, over the tables of DuckDB's generator at scale
// 0.001, shared by three owners and computed under the default disclosure rules. The generator is DuckDB's extension from PyPI.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Duck } from './duck.mjs';

const run = promisify(execFile);
const cache = join(import.meta.dirname, '../../node_modules/.cache/tpch-1.5.5');
const extension = join(cache, 'duckdb_extension_tpch/extensions/v1.5.5/tpch.duckdb_extension');
const OWNERS = 3;

async function fetched() {
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', cache];
  if (!existsSync(extension)) await run('python3', [...pip, 'duckdb-extension-tpch==1.5.5']);
  return extension;
}

const number = (scale, min, max, bits = 32) => ({
  kind: 'number',
  scale,
  declaration:
    scale === 0
      ? { unit: 'u', type: 'INTEGER', min, max }
      : { unit: 'u', type: 'DECIMAL', scale, bits, min: String(min), max: String(max) },
});
const date = () => ({
  kind: 'date',
  declaration: { type: 'DATE', min: '1992-01-01', max: '1999-12-31' },
});
const label = (...labels) => ({
  kind: 'label',
  labels,
  declaration: { type: 'CATEGORY', categories: labels },
});
const text = (...words) => ({
  kind: 'text',
  words,
  declaration: { type: 'VARCHAR', length: 20, dictionary: words },
});
const hash = () => ({ kind: 'hash', declaration: { type: 'VARCHAR', length: 20 } });
const unique = (column) => ({
  ...column,
  unique: true,
  declaration: { ...column.declaration, unique: true },
});

const KEY = number(0, 0, 100_000);
const TABLES = {
  lineitem: {
    l_orderkey: KEY,
    l_partkey: KEY,
    l_quantity: number(2, 0, 50),
    l_extendedprice: number(2, 0, 200_000),
    l_discount: number(2, 0, '0.10'),
    l_returnflag: label('A', 'N', 'R'),
    l_linestatus: label('F', 'O'),
    l_shipdate: date(),
    l_commitdate: date(),
    l_receiptdate: date(),
    l_shipmode: text('AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK'),
  },
  orders: {
    o_orderkey: unique(KEY),
    o_orderdate: date(),
    o_orderpriority: text('1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'),
  },
  part: { p_partkey: unique(KEY), p_brand: hash() },
};

const cellOf = ({ kind, scale }, value) => {
  if (kind !== 'number') return value;
  const [whole, fraction = ''] = String(value).split('.');
  return BigInt(whole + fraction.padEnd(scale, '0').slice(0, scale));
};

/** The generated tables as they are shared: rows dealt to the owners in turn. */
async function generated() {
  const duck = await Duck.open();
  await duck.run(`LOAD '${await fetched()}'`);
  await duck.run('CALL dbgen(sf = 0.001)');
  const tables = [];
  for (const [name, declared] of Object.entries(TABLES)) {
    const columns = Object.entries(declared).map(([column, each]) => ({ ...each, name: column }));
    const names = columns.map((column) => column.name);
    const rows = await duck.rows(`SELECT ${names.join(', ')} FROM ${name}`);
    const cells = rows.map((row) => columns.map((column) => cellOf(column, row[column.name])));
    const owners = Array.from({ length: OWNERS }, (_, owner) =>
      cells.filter((_row, index) => index % OWNERS === owner),
    );
    tables.push({ name, columns, owners });
  }
  duck.close();
  return tables;
}

const both = (sql) => ({ sql, duck: sql });
const REVENUE = both('(l_extendedprice * (1 - l_discount))');

const call = (name, argument, filter) => {
  const where = filter === undefined ? '' : ` FILTER (WHERE ${filter.condition.sql})`;
  return {
    sql: `${name}(${argument?.sql ?? '*'})${where}`,
    call: name,
    argument,
    filter: filter?.index,
  };
};
const query = (parts) => ({
  shape: parts.keys ? 'groups' : 'global',
  keys: [],
  filters: [],
  order: [],
  ...parts,
});
const joined = (name, left, right) => both(`lineitem JOIN ${name} ON ${left} = ${right}`);
const filters = (...conditions) => conditions.map((condition, index) => ({ condition, index }));
const year = (name) => `${name} >= DATE '1994-01-01' AND ${name} < DATE '1995-01-01'`;

/** Queries in the form of queries.mjs; labels are written for both sides. */
function queriesOf(tables) {
  const columns = new Map(
    tables.flatMap(({ name, columns: own }) =>
      own.map((column) => [
        column.name,
        { ...column, sql: column.name, duck: `${name}.${column.name}` },
      ]),
    ),
  );
  const column = (name) => columns.get(name);
  const urgent = filters(
    both("o_orderpriority IN ('1-URGENT', '2-HIGH')"),
    both("o_orderpriority NOT IN ('1-URGENT', '2-HIGH')"),
  );
  const promoted = filters(both("p_brand IN ('Brand#11', 'Brand#12', 'Brand#13')"));
  return {
    Q1: query({
      from: both('lineitem'),
      where: both("l_shipdate <= DATE '1998-09-02'"),
      keys: [column('l_returnflag'), column('l_linestatus')],
      items: [
        { column: column('l_returnflag') },
        { column: column('l_linestatus') },
        call('SUM', column('l_quantity')),
        call('SUM', column('l_extendedprice')),
        call('SUM', REVENUE),
        call('AVG', column('l_quantity')),
        call('AVG', column('l_extendedprice')),
        call('AVG', column('l_discount')),
        call('COUNT'),
      ],
      order: [0, 1].map((output) => ({ output, descending: false })),
    }),
    Q6: query({
      from: both('lineitem'),
      where: both(`${year('l_shipdate')} AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24`),
      items: [call('SUM', both('(l_extendedprice * l_discount)'))],
    }),
    Q12: query({
      from: joined('orders', 'l_orderkey', 'o_orderkey'),
      where: both(
        `l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate AND ${year('l_receiptdate')}`,
      ),
      keys: [column('l_shipmode')],
      filters: urgent.map(({ condition }) => condition),
      items: [
        { column: column('l_shipmode') },
        ...urgent.map((filter) => call('COUNT', undefined, filter)),
      ],
      order: [{ output: 0, descending: false }],
    }),
    Q14: query({
      from: joined('part', 'l_partkey', 'p_partkey'),
      where: both("l_shipdate >= DATE '1995-09-01' AND l_shipdate < DATE '1995-10-01'"),
      filters: promoted.map(({ condition }) => condition),
      items: [
        {
          sql: `${call('SUM', REVENUE, promoted[0]).sql} / ${call('SUM', REVENUE).sql}`,
          operator: '/',
          parts: [call('SUM', REVENUE, promoted[0]), call('SUM', REVENUE)],
        },
      ],
    }),
    Q3: query({
      from: joined('orders', 'l_orderkey', 'o_orderkey'),
      where: both("o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'"),
      keys: [column('l_orderkey'), column('o_orderdate')],
      items: [
        { column: column('l_orderkey') },
        call('SUM', REVENUE),
        { column: column('o_orderdate') },
      ],
      order: [
        { output: 1, descending: true },
        { output: 2, descending: false },
      ],
      limit: 10,
      floor: 1,
    }),
  };
}

/** Tables, and queries by name; `floor` is the group size that a query asks for. */
export async function tpch() {
  const tables = await generated();
  return { tables, queries: queriesOf(tables) };
}
