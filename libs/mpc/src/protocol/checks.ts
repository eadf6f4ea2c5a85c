import { toBoolean } from './adder.js';
import { equal } from './compare.js';
import type { Protocol } from './link.js';
import { open } from './open.js';
import type { Party } from './party.js';
import { inRows } from './planes.js';
import { and, andWords } from './products.js';
import { checkWidth, join, not, xorWords, type Bits, type Plane, type Shares } from './shares.js';
import type { Column } from './shuffle.js';
import { wideToBoolean } from './words.js';

/**
 * Whether both forms of a column have one value in each row (jobs.md 8, `inconsistent_forms`): A2B and equality, 12 rounds and
 * 13 words, 14 and 30 for 64 bits.
 * @param arithmetic an arithmetic or a wide column.
 */
export function* sameForms(party: Party, { form, shares }: Column, boolean: Bits): Protocol<Plane> {
  const width = boolean.planes.length;
  const bits = yield* form === 'wide'
    ? wideToBoolean(party, shares, width)
    : toBoolean(party, shares, width);
  const [same] = yield* equal(party, [[bits, boolean]]);
  return same;
}

const words = (x: Shares, from: number, to?: number): Shares => ({
  own: x.own.subarray(from, to),
  next: x.next.subarray(from, to),
});
const shifted = ({ own, next }: Shares, by: number): Shares => ({
  own: own.map((word) => word >>> by),
  next: next.map((word) => word >>> by),
});

/**
 * Whether any bit of each plane is 1, which all parties learn and nothing else: ⌈log2 n⌉ rounds of AND trees side by side, and
 * one opening.
 * @param planes of any lengths; all their lanes count.
 */
export function* anySet(party: Party, planes: readonly Plane[]): Protocol<boolean[]> {
  if (planes.length === 0) return [];
  let rest: Shares[] = planes.map((plane) => not(party, plane));
  while (rest.some(({ own }) => own.length > 1)) {
    const halves = rest.map(({ own }) => own.length >>> 1);
    const products = yield* and(
      party,
      rest.map((plane, j) => words(plane, 0, halves[j])),
      rest.map((plane, j) => words(plane, halves[j], 2 * halves[j])),
    );
    rest = rest.map((plane, j) => join([products[j], words(plane, 2 * halves[j])]));
  }
  let last = join(rest);
  for (let s = 16; s >= 1; s >>>= 1) last = yield* andWords(party, last, shifted(last, s));
  const none = { own: last.own.map((word) => word & 1), next: last.next.map((word) => word & 1) };
  checkWidth(none, 1);
  const opened = yield* open(none, xorWords);
  return Array.from(opened, (bit) => bit === 0);
}

/** The rows from `first` to before `end`, and lanes of other rows in their words, which are zero. */
function partOf(plane: Plane, first: number, end: number): Plane {
  const [from, to] = [first >>> 5, (end + 31) >>> 5];
  return inRows(words(plane, from, to), first - 32 * from, end - 32 * from);
}

/**
 * Whether a bit is 1 in all rows of each owner, for each plane (jobs.md 8, stage D): one opened bit per owner and plane.
 * @param owners rows of each owner, in the order of the rows.
 * @returns by plane, then by owner; true where an owner has no rows.
 */
export function* holdForOwners(
  party: Party,
  planes: readonly Plane[],
  owners: readonly number[],
): Protocol<boolean[][]> {
  let at = 0;
  const ranges = owners.map((rows) => ({ first: at, end: (at += rows) }));
  const parts = planes.flatMap((plane) =>
    ranges.map(({ first, end }) => partOf(not(party, plane), first, end)),
  );
  const filled = parts.filter(({ own }) => own.length > 0);
  const failed = yield* anySet(party, filled);
  const verdicts = new Map(filled.map((part, j) => [part, !failed[j]]));
  return planes.map((_, p) =>
    ranges.map((_, o) => verdicts.get(parts[p * owners.length + o]) ?? true),
  );
}
