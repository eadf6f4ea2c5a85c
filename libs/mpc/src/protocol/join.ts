import { anySet } from './checks.js';
import { all } from './compare.js';
import { together, type Protocol } from './link.js';
import type { Party } from './party.js';
import { delay, inRows, lanes, planeOf, toBits, toWords } from './planes.js';
import { and } from './products.js';
import { joinWords, not, xor, type Plane, type Shares } from './shares.js';
import { rowsOf, type Column } from './shuffle.js';
import { digitPass } from './digits.js';
import { sort, type KeyBit } from './sort.js';

/** Two tables laid one after another (11.6): the side with the unique key first, each padded with the columns of the other. */
export interface JoinInput {
  /** Boolean columns of the key; both sides have their values in them. */
  keys: { shares: Shares; width: number }[];
  /** 1 for rows of the other side. */
  side: Plane;
  /** Live rows of both sides. */
  valid: Plane;
  /** Boolean columns of the unique side, which its partners get. */
  payload: { shares: Shares; width: number }[];
  /** Columns of the other side. */
  columns: Column[];
}

export interface Joined {
  /** The declared key was unique over all rows, live or not; without that nothing else is of meaning. */
  unique: boolean;
  /** As many rows as the other side has; live are those that were live and have a live partner. */
  valid: Plane;
  payload: Shares[];
  columns: Column[];
}

interface Carried {
  has: Plane;
  planes: Plane[];
}

/** Carries the payload of the row that has it down its run of keys (11.6): 3 rounds per level. */
function* carry(party: Party, g: Plane, start: Carried, rows: number): Protocol<Carried> {
  let { has, planes } = start;
  let reach = g;
  for (let d = 1; d < rows; d *= 2) {
    const before = delay(has, d);
    const [offered, further] = yield* and(party, [before, reach], [reach, delay(reach, d)]);
    const [take] = yield* and(party, [offered], [not(party, has)]);
    const differs = planes.map((plane) => xor(plane, delay(plane, d)));
    const chosen = yield* and(
      party,
      differs,
      differs.map(() => take),
    );
    planes = planes.map((plane, j) => xor(plane, chosen[j]));
    has = xor(has, take);
    reach = further;
  }
  return { has, planes };
}

const asColumn = (plane: Plane, rows: number): Column => ({
  form: 'boolean',
  width: 1,
  shares: { own: lanes(plane.own, rows), next: lanes(plane.next, rows) },
});
const asPlane = ({ shares }: Column): Plane => ({
  own: planeOf(shares.own, 0),
  next: planeOf(shares.next, 0),
});

function firstRows(column: Column, count: number): Column {
  const rows = rowsOf(column);
  const cut = (words: Int32Array): Int32Array =>
    column.form === 'wide'
      ? joinWords([words.subarray(0, count), words.subarray(rows, rows + count)])
      : words.subarray(0, count);
  return {
    ...column,
    shares: { own: cut(column.shares.own), next: cut(column.shares.next) },
  };
}

/** Column 0 is the side, the lowest bit of the order; the columns of the key follow from 2 on. */
const order = (keys: JoinInput['keys']): KeyBit[] => [
  { column: 0, bit: 0, flipped: false },
  ...keys.flatMap(({ width }, k) =>
    Array.from({ length: width }, (_, bit) => ({ column: k + 2, bit, flipped: false })),
  ),
];

/**
 * Inner join on a key that is unique on one side (11.6): sorted by key and side, the payload goes from each unique row to the
 * rows of its key behind it, and one pass brings the rows of the other side to the front.
 * @param others rows of the other side, which is public.
 */
export function* joinUnique(party: Party, tables: JoinInput, others: number): Protocol<Joined> {
  const { keys, payload } = tables;
  const rows = keys[0].shares.own.length;
  const sorted = yield* sort(
    party,
    [
      asColumn(tables.side, rows),
      asColumn(tables.valid, rows),
      ...keys.map((part): Column => ({ form: 'boolean', ...part })),
      ...payload.map((part): Column => ({ form: 'boolean', ...part })),
      ...tables.columns,
    ],
    order(keys),
  );
  const [side, valid] = sorted.slice(0, 2).map(asPlane);
  const planesOf = (from: number, parts: JoinInput['keys']): Plane[][] =>
    parts.map(({ width }, k) => [...toBits(sorted[from + k].shares, width).planes]);
  const same = planesOf(2, keys).flat();
  const [equal] = yield* all(party, [same.map((plane) => not(party, xor(plane, delay(plane, 1))))]);
  const g = inRows(equal, 1, rows);
  const left = not(party, side);
  const [twice, has] = yield* and(party, [left, left], [g, valid]);
  const first = 2 + keys.length;
  const [[repeated], carried] = yield* together(
    anySet(party, [inRows(twice, 0, rows)]),
    carry(party, g, { has, planes: planesOf(first, payload).flat() }, rows),
  );
  const [both] = yield* and(party, [valid], [side]);
  const [live] = yield* and(party, [both], [carried.has]);
  let at = 0;
  const moved = yield* digitPass(
    party,
    [not(party, side)],
    [
      asColumn(live, rows),
      ...payload.map(({ width }): Column => {
        const planes = carried.planes.slice(at, (at += width));
        return { form: 'boolean', width, shares: toWords({ rows, planes }) };
      }),
      ...sorted.slice(first + payload.length),
    ],
  );
  const kept = moved.map((column) => firstRows(column, others));
  return {
    unique: !repeated,
    valid: asPlane(kept[0]),
    payload: kept.slice(1, 1 + payload.length).map(({ shares }) => shares),
    columns: kept.slice(1 + payload.length),
  };
}
