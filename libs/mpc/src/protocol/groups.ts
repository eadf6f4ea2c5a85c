import { all } from './compare.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { advance, delay, inRows, lanes, planeOf } from './planes.js';
import { and } from './products.js';
import { not, publicPlane, trivial, xor, type Plane, type Shares } from './shares.js';
import { rowsOf, type Column } from './shuffle.js';
import { digitPass } from './digits.js';
import { differences, prefixSums } from './sums.js';

/** Where groups begin and end in rows that are sorted by (V descending, keys). */
export interface Frame {
  /** The row is live and has the keys of the row before it. */
  g: Plane;
  /** The row is the last of its group. */
  last: Plane;
}

/**
 * Frame of GROUP BY (11.5): g_i = [keys_i = keys_{i-1}] ∧ V_i with g_0 = 0, last_i = V_i ⊕ g_{i+1}. 1 + ⌈log2 w⌉ rounds, w the
 * summed width of the keys.
 * @param keys planes of all key columns.
 */
export function* frame(
  party: Party,
  keys: readonly Plane[],
  valid: Plane,
  rows: number,
): Protocol<Frame> {
  const live = inRows(valid, 0, rows);
  const same = keys.map((plane) => not(party, xor(plane, delay(plane, 1))));
  const [equal] = yield* all(party, [same.length > 0 ? same : [publicPlane(party, rows, true)]]);
  const [both] = yield* and(party, [equal], [live]);
  const g = inRows(both, 1, rows);
  return { g, last: xor(live, advance(g)) };
}

export interface Grouped {
  /** 1 in the slots that are groups, which come first, in key order. */
  valid: Plane;
  /** Columns of the last rows of the groups. */
  columns: Column[];
  /** For each summed column the sum of its group, in the ring of the column. */
  sums: Shares[];
  /** Rows of each group, in Z_2^32. */
  count: Shares;
}

/**
 * One slot per group (11.5, GROUP BY, SUM and COUNT): prefix sums travel with the last rows to the front, where neighbours are
 * subtracted. Rows before a live row are all live, so that no mask is needed. 7 rounds, 6 + 2c words.
 * @param summed arithmetic or wide columns; in dead slots sums and counts are of no meaning until they are masked.
 */
export function* collect(
  party: Party,
  { last }: Frame,
  columns: readonly Column[],
  summed: readonly Column[],
): Protocol<Grouped> {
  const rows = rowsOf([...columns, ...summed][0]);
  const positions = trivial(
    party,
    0,
    Int32Array.from({ length: rows }, (_, i) => i + 1),
    rows,
  );
  const flags = { own: lanes(last.own, rows), next: lanes(last.next, rows) };
  const carried: Column[] = [
    { form: 'boolean', width: 1, shares: flags },
    { form: 'arithmetic', shares: positions },
    ...summed.map(prefixSums),
    ...columns,
  ];
  const [valid, counts, ...rest] = yield* digitPass(party, [not(party, last)], carried);
  return {
    valid: { own: planeOf(valid.shares.own, 0), next: planeOf(valid.shares.next, 0) },
    count: differences(counts),
    sums: rest.slice(0, summed.length).map(differences),
    columns: rest.slice(summed.length),
  };
}
