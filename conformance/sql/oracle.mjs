// What a query shows: rows, aggregates and order by DuckDB; disclosure rules and opening-time arithmetic by plain evaluation.
import { disclosed } from './rules.mjs';
import { add, divide, multiply, negate, rational, root, rounded } from './rational.mjs';

/** Decimals of AVG and of opening-time division, at least (jobs.avgScale). */
const AVG_SCALE = 2;

const fromOf = ({ from, where }) => `FROM ${from.duck}${where ? ` WHERE ${where.duck}` : ''}`;
const scaleOf = (text) => String(text).split('.')[1]?.length ?? 0;
const keyOf = (row, keys) => JSON.stringify(keys.map((_, k) => row[`k${k}`]));

const filtered = (call, { filter }, filters) =>
  filter === undefined ? call : `${call} FILTER (WHERE ${filters[filter].duck})`;

/** Every aggregate under the items and HAVING, each with the columns of DuckDB that it is made of. */
function callsOf({ items, having = [] }) {
  const under = (item) => {
    if (item.parts) return item.parts.flatMap(under);
    return item.call ? [item] : [];
  };
  return [
    ...items.flatMap(under),
    ...having.flatMap(({ aggregate }) => (aggregate ? [aggregate] : [])),
  ];
}

const CALLS = {
  COUNT: () => ['COUNT(*)'],
  DISTINCT: ({ argument }) => [`COUNT(DISTINCT ${argument.duck})`],
  AVG: ({ argument }) => [`SUM(${argument.duck})`, 'COUNT(*)', `ANY_VALUE(${argument.duck})`],
  SUM: ({ argument }) => [`SUM(${argument.duck})`],
  MIN: ({ argument }) => [`MIN(${argument.duck})`],
  MAX: ({ argument }) => [`MAX(${argument.duck})`],
};

/** Filters that are used, in the order in which the query names them: the difference rule looks at those before. */
const usedFilters = (calls) => [
  ...new Set(calls.flatMap(({ filter }) => (filter === undefined ? [] : [filter]))),
];

const statisticsOf = ({ items }) => items.filter(({ statistic }) => statistic);

/** Groups with their aggregates. */
async function groupsOf(duck, query) {
  const { keys, filters } = query;
  const calls = callsOf(query);
  const columns = [
    ...keys.map(({ duck: key }, k) => `${key} AS k${k}`),
    ...calls.flatMap((call, c) =>
      CALLS[call.call](call).map(
        (each, part) => `${filtered(each, call, filters)} AS c${c}_${part}`,
      ),
    ),
    ...statisticsOf(query).flatMap(({ argument: { duck: x } }, s) => [
      `SUM(${x}) AS s${s}_0`,
      `SUM(${x} * ${x}) AS s${s}_1`,
    ]),
    'COUNT(*) AS members',
  ];
  const grouping =
    keys.length > 0 ? ` GROUP BY ${keys.map(({ duck: key }) => key).join(', ')}` : '';
  const rows = await duck.rows(`SELECT ${columns.join(', ')} ${fromOf(query)}${grouping}`);
  return { calls, rows };
}

/** Rows of each group, as far as the rules look at them. */
async function membersOf(duck, query, { tables, units }, filters) {
  const { keys } = query;
  const columns = [
    ...keys.map(({ duck: key }, k) => `${key} AS k${k}`),
    ...units.map((unit, u) => `${unit} AS u${u}`),
    ...tables.map(({ name }, t) => `${name}.owner_ AS w${t}`),
    ...filters.map((filter) => `(${query.filters[filter].duck}) AS f${filter}`),
  ];
  const groups = new Map();
  for (const row of await duck.rows(`SELECT ${columns.join(', ')} ${fromOf(query)}`)) {
    const key = keyOf(row, keys);
    const member = {
      unit: units.length > 0 ? JSON.stringify(units.map((_, u) => row[`u${u}`])) : undefined,
      owners: tables.map((_, t) => row[`w${t}`]),
      filters: filters.map((filter) => row[`f${filter}`]),
    };
    groups.set(key, [...(groups.get(key) ?? []), member]);
  }
  return groups;
}

/** AVG as the parties divide: at the larger of two scales, half away from zero. */
function average(sum, count, scale) {
  return rounded(divide(rational(sum), rational(count)), Math.max(AVG_SCALE, scale));
}

/** The value of a call in a group; zero where it is not shown or nothing was found. */
function valueOf(call, c, row, visible) {
  const numeric = call.call !== 'MIN' && call.call !== 'MAX';
  const raw = row[`c${c}_0`];
  const isNumber = numeric || call.argument.kind === 'number' || call.argument.kind === undefined;
  if (!visible) return { suppressed: true, value: isNumber ? rational('0') : null };
  if (call.call === 'AVG') return { value: average(raw, row[`c${c}_1`], scaleOf(row[`c${c}_2`])) };
  return { value: isNumber ? rational(raw) : raw };
}

const COMPARE = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

const order = (a, b) => (a < b ? -1 : Number(a > b));
const compareNumbers = (a, b) => order(a.over * b.under, b.over * a.under);

/** Keys as they compare: numbers as fractions, text by code points, the rest as DuckDB gives it. */
export function comparable(kind, value) {
  if (kind === 'number' || kind === 'label') return rational(value);
  return kind === 'date'
    ? value
    : [...value].map((c) => c.codePointAt(0).toString(16).padStart(6, '0')).join();
}

export const compareValues = (a, b) => (typeof a === 'object' ? compareNumbers(a, b) : order(a, b));

const constantText = ({ duck }) =>
  duck
    .replace(/^DATE /, '')
    .replaceAll(/^'|'$/g, '')
    .replaceAll("''", "'");

function holds({ key, relation, constant }, value, query, row) {
  if (key) {
    const k = query.keys.indexOf(key);
    const sides = [row[`k${k}`], constantText(constant)].map((each) => comparable(key.kind, each));
    return COMPARE[relation](compareValues(...sides));
  }
  return COMPARE[relation](compareNumbers(value.value, rational(constant.duck)));
}

const OPERATIONS = {
  '+': add,
  '-': (a, b) => add(a, negate(b)),
  '*': multiply,
};

function opened({ operator }, parts, scale) {
  const [left, right] = parts.map(({ value }) => value);
  if (operator !== '/') return OPERATIONS[operator](left, right);
  const quotient = divide(left, right);
  return quotient && rounded(quotient, scale);
}

/** VARIANCE and STDDEV of SUM(x), SUM(x·x) and COUNT(*). */
function statistic({ statistic: name }, row, s, scale) {
  const [sum, squares] = [row[`s${s}_0`], row[`s${s}_1`]].map(rational);
  const count = rational(row.members);
  const sample = !name.endsWith('_POP');
  const divisor = sample ? add(count, rational('-1')) : count;
  const spread = add(squares, negate(divide(multiply(sum, sum), count)));
  const variance = divide(spread, divisor);
  if (!variance) return null;
  return name.startsWith('STDDEV') ? root(variance, scale) : rounded(variance, scale);
}

/** What is shown of one group, or undefined. */
function shownOf(query, { calls, used, row, rows, rules, scales }) {
  const { group, filters } = disclosed(rows, rules, used);
  if (!group) return undefined;
  const visible = ({ filter }) => filter === undefined || filters[used.indexOf(filter)];
  const values = new Map(calls.map((call, c) => [call, valueOf(call, c, row, visible(call))]));
  const passes = (query.having ?? []).every((each) =>
    holds(each, values.get(each.aggregate), query, row),
  );
  if (!passes) return undefined;
  const statistics = statisticsOf(query);
  return query.items.map((item, index) => {
    if (item.column) return { value: row[`k${query.keys.indexOf(item.column)}`] };
    if (item.statistic)
      return { value: statistic(item, row, statistics.indexOf(item), scales[index]) };
    if (item.parts) {
      const parts = item.parts.map((part) => values.get(part));
      const suppressed = parts.some((part) => part.suppressed);
      return suppressed ? { suppressed } : { value: opened(item, parts, scales[index]) };
    }
    return values.get(item);
  });
}

/**
 * The result as rows of cells: fractions for numbers, what DuckDB gives for other columns, null where an item has no value;
 * `suppressed` cells keep what they are ordered by.
 * @param scales digits behind the point of each item
 */
export async function expected(duck, query, { tables, units, rules, scales }) {
  if (query.shape === 'rows') {
    const columns = query.items.map(({ column }, index) => `${column.duck} AS v${index}`);
    const rows = await duck.rows(`SELECT ${columns.join(', ')} ${fromOf(query)}`);
    return rows.map((row) => query.items.map((_, index) => ({ value: row[`v${index}`] })));
  }
  const { calls, rows } = await groupsOf(duck, query);
  const used = usedFilters(calls);
  const members = await membersOf(duck, query, { tables, units }, used);
  return rows.flatMap((row) => {
    const own = members.get(keyOf(row, query.keys)) ?? [];
    const shown = shownOf(query, { calls, used, row, rows: own, rules, scales });
    return shown ? [shown] : [];
  });
}
