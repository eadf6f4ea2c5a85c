import { lift } from './arithmetic.js';
import { greater, biased } from './compare.js';
import { together, type Protocol } from './link.js';
import { choose } from './mux.js';
import type { Party } from './party.js';
import { inRows } from './planes.js';
import { and } from './products.js';
import type { Extreme } from './runs.js';
import { not, type Bits, type Plane, type Shares } from './shares.js';
import { rowsOf, type Column } from './shuffle.js';
import { total } from './sums.js';
import { flattened } from './wide.js';
import { dotWide, toWideBit } from './wide-products.js';

/**
 * Sum of the rows in which a bit is 1, in Z_2^64: 10 rounds and 11 words for 32-bit values, 3 and 4 for 64-bit ones.
 * @param x an arithmetic or a wide column.
 * @param bit absent: all rows, then only the lift is left.
 */
export function* globalSum(party: Party, x: Column, bit?: Plane): Protocol<Shares> {
  const lifting = widened(party, x);
  if (!bit) return total({ form: 'wide', shares: yield* lifting });
  const [values, ones] = yield* together(lifting, toWideBit(party, bit, rowsOf(x)));
  return yield* dotWide(party, [[values, ones]]);
}

function* widened(party: Party, { form, shares }: Column): Protocol<Shares> {
  return form === 'wide' ? shares : flattened(yield* lift(party, shares));
}

const each = (plane: Plane, of: (words: Int32Array) => Int32Array): Plane => ({
  own: of(plane.own),
  next: of(plane.next),
});

/** Planes of all ones win MIN and planes of zeros MAX: those of dead rows become so. 1 round. */
function* onlyWhere(party: Party, values: Bits, bit: Plane): Protocol<readonly Plane[]> {
  return yield* and(
    party,
    values.planes,
    values.planes.map(() => bit),
  );
}

/** The better of each pair of rows: 1 + ⌈log2 w⌉ rounds and a mux. */
function* better(party: Party, a: readonly Plane[], b: readonly Plane[]): Protocol<Plane[]> {
  const rows = 32 * a[0].own.length;
  const take = yield* greater(party, { rows, planes: b }, { rows, planes: a });
  return yield* choose(party, take, a, b);
}

/**
 * Greatest value of all rows as a tournament: pairs of words, at the end pairs of lanes of one word. Lanes behind the last
 * row are zero.
 */
function* greatest(party: Party, planes: readonly Plane[]): Protocol<Plane[]> {
  let rest = [...planes];
  while (rest[0].own.length > 1) {
    const half = rest[0].own.length >>> 1;
    const part = (from: number, to?: number): Plane[] =>
      rest.map((plane) => each(plane, (words) => words.subarray(from, to)));
    const [upper, odd] = [part(half, 2 * half), part(2 * half)];
    const won = yield* better(party, part(0, half), upper);
    rest = won.map((plane, j) => ({
      own: Int32Array.from([...plane.own, ...odd[j].own]),
      next: Int32Array.from([...plane.next, ...odd[j].next]),
    }));
  }
  for (let s = 16; s >= 1; s >>>= 1)
    rest = yield* better(
      party,
      rest,
      rest.map((plane) => each(plane, (words) => words.map((word) => word >>> s))),
    );
  return rest;
}

/**
 * Least or greatest value of the rows in which a bit is 1 (11.5, global MIN and MAX): 8 rounds for each halving of the rows.
 * Where there is no such row, an end of the range of the width.
 * @param bit absent: all rows.
 * @returns one row.
 */
export function* globalExtreme(
  party: Party,
  values: Bits,
  { which, signed }: Extreme,
  bit?: Plane,
): Protocol<Bits> {
  const ordered = signed ? biased(party, values) : values;
  const flip = (planes: readonly Plane[]): Plane[] =>
    which === 'MIN' ? planes.map((plane) => not(party, plane)) : [...planes];
  const turned = { rows: values.rows, planes: flip(ordered.planes) };
  const live = bit ? yield* onlyWhere(party, turned, bit) : turned.planes;
  const won = yield* greatest(
    party,
    live.map((plane) => inRows(plane, 0, values.rows)),
  );
  const found = { rows: 1, planes: flip(won.map((plane) => inRows(plane, 0, 1))) };
  return signed ? biased(party, found) : found;
}
