// Whole queries for bench/mpc.mjs: plans, and shares of random rows for three parties.
import { randomFillSync } from 'node:crypto';
import { compile } from '../../libs/mpc/dist/index.js';

const category = (categories) => ({ type: 'CATEGORY', categories });
const TABLE = {
  person: { type: 'INTEGER', unit: 'id', min: 0, max: 1_048_575 },
  sex: category(['f', 'm']),
  ward: category(['a', 'b', 'c', 'd', 'e', 'f', 'g']),
  age: { type: 'INTEGER', unit: 'years', min: 0, max: 120 },
  code: 'code',
  cost: { type: 'INTEGER', unit: 'EUR', min: 0, max: 1_000_000 },
  score: { type: 'DECIMAL', scale: 2, min: '-100.00', max: '100.00' },
  stay: { type: 'INTEGER', unit: 'days', min: 0, max: 400 },
};
const SCHEMA = new Map([['visits', TABLE]]);

const QUERIES = {
  average_by_categories: 'SELECT sex, ward, AVG(cost) FROM visits GROUP BY sex, ward',
  sum_by_integer: 'SELECT code, SUM(cost) FROM visits GROUP BY code',
  filtered_total: 'SELECT COUNT(*), SUM(cost) FROM visits WHERE age BETWEEN 30 AND 60',
  eight_columns:
    'SELECT person, sex, ward, COUNT(*), SUM(cost), SUM(stay), MAX(score) FROM visits WHERE age > 17 AND code > 0 GROUP BY person, sex, ward',
};
const SIZES = {
  average_by_categories: [100, 65_536, 262_144],
  sum_by_integer: [100, 65_536, 262_144],
  filtered_total: [65_536],
  eight_columns: [262_144],
};
const TARGETS = { average_by_categories_65536: 2500 };

function sharesOf(values, minus) {
  const [second, third] = [0, 1].map(() => randomFillSync(new Int32Array(values.length)));
  const slots = [values.map((value, i) => minus(value, second[i], third[i])), second, third];
  return [0, 1, 2].map((party) => ({ own: slots[party], next: slots[(party + 1) % 3] }));
}

/** Uniform values of a column within its declaration. */
function valuesOf({ type }, rows) {
  const [low, high] = [type.min, type.max].map(Number);
  const span = high - low + 1;
  return randomFillSync(new Int32Array(rows)).map((word) => low + ((word >>> 0) % span));
}

function inputsOf(plan, rows) {
  const columns = plan.columns.map((column) => {
    const values = valuesOf(column, rows);
    return {
      name: column.name,
      arithmetic: column.arithmetic && sharesOf(values, (v, b, c) => v - b - c),
      boolean: column.boolean && sharesOf(values, (v, b, c) => v ^ b ^ c),
    };
  });
  const half = rows >>> 1;
  return [0, 1, 2].map((party) => ({
    tables: [
      {
        rows,
        owners: [half, rows - half],
        columns: new Map(
          columns.map(({ name, arithmetic, boolean }) => [
            name,
            {
              arithmetic: arithmetic ? arithmetic[party] : undefined,
              boolean: boolean ? boolean[party] : undefined,
            },
          ]),
        ),
      },
    ],
  }));
}

/** @param sizes rows that are measured; 100 is always */
export function queriesOf(sizes) {
  return Object.entries(QUERIES).flatMap(([query, sql]) =>
    SIZES[query]
      .filter((rows) => rows === 100 || sizes.includes(rows))
      .map((rows) => {
        const { plan } = compile(sql, SCHEMA);
        const name = `${query}_${rows}`;
        const inputs = () => inputsOf(plan, rows);
        return { name, plan, rows: [rows], inputs, target: TARGETS[name] };
      }),
  );
}
