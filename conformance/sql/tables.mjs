// Random schemas and tables: every type of jobs.md 11.3, one to three owners, groups of very different sizes.

/** Ten to the power of a small number, as a bigint. */
export const ten = (digits) => 10n ** BigInt(digits);

/** digits / 10^scale as decimal text. */
export function decimal(digits, scale) {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const sign = digits < 0n ? '-' : '';
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

const day = (number) => new Date(number * 86_400_000).toISOString().slice(0, 10);

const LABELS = ['red', 'green', 'blue', 'black', 'white', "o'clock"];
const WORDS = ['ant', 'bee', 'cat', 'Dog', 'élan', 'fox', 'zebra'];

/** A few values, so that groups and joins have something to find. */
const few = (random, values) => () => random.pick(values);

const integer = (random, low, high) => () => BigInt(low) + BigInt(random.below(high - low + 1));

const NUMBER = (declaration, scale, cell) => ({ kind: 'number', declaration, scale, cell });

const KINDS = [
  (random) => {
    const [min, max] = random.pick([
      [0, 9],
      [-50, 50],
      [0, 100_000],
      [-3, 3],
    ]);
    const declaration = { unit: 'u', type: 'INTEGER', min, max };
    return NUMBER(declaration, 0, integer(random, min, max));
  },
  (random) =>
    NUMBER('u', 0, () =>
      random.chance(0.1)
        ? random.pick([-(2n ** 31n), 2n ** 31n - 1n])
        : integer(random, -1000, 1000)(),
    ),
  (random) => {
    const bound = 1_000_000_000_000n;
    const declaration = { unit: 'u', type: 'BIGINT', min: String(-bound), max: String(bound) };
    return NUMBER(declaration, 0, () => BigInt(random.between(-1_000_000, 1_000_000)) * 999_983n);
  },
  (random) => {
    const declaration = { unit: 'u', type: 'DECIMAL', scale: 2, min: '-100.00', max: '100.00' };
    return NUMBER(declaration, 2, integer(random, -10_000, 10_000));
  },
  (random) => {
    const bounds = { min: '0', max: '1000000000.000' };
    const declaration = { unit: 'u', type: 'DECIMAL', scale: 3, bits: 64, ...bounds };
    return NUMBER(declaration, 3, () => BigInt(random.below(1_000_000_000)) * 7n);
  },
  (random) => {
    const labels = random.some(LABELS, random.between(2, 5));
    const declaration = { type: 'CATEGORY', categories: labels };
    return { kind: 'label', declaration, labels, cell: few(random, labels) };
  },
  (random) => {
    const words = random.some(WORDS, random.between(2, 6));
    const declaration = { type: 'VARCHAR', length: 10, dictionary: words };
    return { kind: 'text', declaration, words, cell: few(random, words) };
  },
  (random) => {
    const words = random.some(WORDS, 4);
    const declaration = { type: 'VARCHAR', length: 10 };
    return { kind: 'hash', declaration, words, cell: few(random, words) };
  },
  (random) => {
    const bounds = random.pick([{ min: '2020-01-01', max: '2020-12-31' }, {}]);
    const declaration = { type: 'DATE', ...bounds };
    return { kind: 'date', declaration, cell: () => day(random.between(18_262, 18_627)) };
  },
];

/** Few values, two of them frequent: some groups pass the rules, others do not, and conditions hold for some rows. */
function skewed(random, cell) {
  const pool = random.times(2, 8, cell);
  return () => random.pick(random.chance(0.6) ? pool.slice(0, 2) : pool);
}

const columnOf = (random, name, make) => {
  const column = make(random);
  return { ...column, name, cell: skewed(random, column.cell) };
};

/** A key that both tables have: the values of one are unique. */
const KEYS = [
  {
    declaration: { unit: 'id', type: 'INTEGER', min: 0, max: 63 },
    kind: 'number',
    scale: 0,
    of: BigInt,
  },
  {
    declaration: { type: 'VARCHAR', length: 10 },
    kind: 'hash',
    words: ['n1', 'n2', 'n3'],
    of: (n) => `n${n}`,
  },
];

function owners(random, low, high) {
  return random.times(1, 3, () => random.between(low, high));
}

function table(random, name, columns, sizes) {
  return {
    name,
    columns,
    owners: sizes.map((rows) =>
      Array.from({ length: rows }, () => columns.map(({ cell }) => cell())),
    ),
  };
}

const withUnit = (random, columns) => {
  const kept = columns.map((column) => ({ ...column }));
  if (!random.chance(0.3)) return kept;
  const unit = random.pick(kept);
  unit.unit = true;
  const { declaration } = unit;
  unit.declaration = {
    ...(typeof declaration === 'string' ? { unit: declaration } : declaration),
    privacy_unit: true,
  };
  return kept;
};

/** One table, or two of which the second has a unique key that the first refers to. */
export function tablesOf(random) {
  const joined = random.chance(0.3);
  const names = ['a', 'b', 'c', 'd', 'e'];
  const columns = names
    .slice(0, random.between(3, 5))
    .map((name) => columnOf(random, name, random.pick(KINDS)));
  if (!joined) return [table(random, 'facts', withUnit(random, columns), owners(random, 5, 60))];
  const key = random.pick(KEYS);
  const reference = { ...key, name: 'ref', cell: () => key.of(random.below(14)) };
  const facts = table(
    random,
    'facts',
    withUnit(random, [reference, ...columns.slice(0, 3)]),
    owners(random, 5, 60),
  );
  let id = 0;
  const unique = {
    ...key,
    name: 'id',
    unique: true,
    declaration: { ...key.declaration, unique: true },
    cell: () => key.of(id++),
  };
  const others = ['x', 'y', 'z'].map((name) => columnOf(random, name, random.pick(KINDS)));
  const sizes = owners(random, 1, 6);
  return [facts, table(random, 'people', withUnit(random, [unique, ...others]), sizes)];
}

/** The schema as `create_job` takes it. */
export const schemaOf = (tables) =>
  new Map(
    tables.map(({ name, columns }) => [
      name,
      Object.fromEntries(columns.map((column) => [column.name, column.declaration])),
    ]),
  );

const cellText = ({ kind, scale }, cell) => (kind === 'number' ? decimal(cell, scale) : cell);
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

/** An owner's own CSV file. */
export const csvOf = ({ columns }, rows) =>
  [
    columns.map(({ name }) => name).join(','),
    ...rows.map((row) => row.map((cell, k) => quoted(cellText(columns[k], cell))).join(',')),
    '',
  ].join('\n');
