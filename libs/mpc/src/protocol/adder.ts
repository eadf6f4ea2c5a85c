import { input } from './input.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { planesOfWords } from './planes.js';
import { and } from './products.js';
import {
  addWords,
  join,
  planeWords,
  slotOf,
  split,
  trivial,
  xor,
  type Bits,
  type Plane,
  type Shares,
} from './shares.js';

/**
 * a + b mod 2^w (11.4, adder; Kogge and Stone 1973): 1 + ⌈log2 w⌉ rounds. Bits that no later step reads are not computed, so
 * words stay under the 11 of the table: g below s and p below 2s are settled, the carry out of the top is not made.
 */
export function* addBits(party: Party, a: Bits, b: Bits): Protocol<Bits> {
  const width = a.planes.length;
  const halves = a.planes.map((plane, j) => xor(plane, b.planes[j]));
  const carries = width - 1;
  let g = yield* and(party, a.planes.slice(0, carries), b.planes.slice(0, carries));
  let p = halves.slice(0, carries);
  for (let s = 1; s < carries; s *= 2) {
    const forG = p.slice(s);
    const forP = p.slice(2 * s);
    const products = yield* and(
      party,
      [...forG, ...forP],
      [...g.slice(0, carries - s), ...p.slice(s, carries - s)],
    );
    g = g.map((plane, j) => (j < s ? plane : xor(plane, products[j - s])));
    p = p.map((plane, j) => (j < 2 * s ? plane : products[carries - s + j - 2 * s]));
  }
  return { rows: a.rows, planes: halves.map((half, j) => (j === 0 ? half : xor(half, g[j - 1]))) };
}

/** Planes that lie one after another in an array, as they come from an input. */
export function asPlanes(words: Shares, rows: number, width: number): Plane[] {
  const length = planeWords(rows);
  return split(
    words,
    Array.from({ length: width }, () => length),
  );
}

/**
 * The lowest `width` bits of words shared in Z_2^32 (11.4, A2B): x0 + x1 is an input of party 0, x2 stands alone in slot 2, and
 * the adder adds them. 2 + ⌈log2 w⌉ rounds.
 */
export function* toBoolean(party: Party, x: Shares, width = 32): Protocol<Bits> {
  const rows = x.own.length;
  const flat = (words: Int32Array): Int32Array =>
    join(planesOfWords(words, width).map((own) => ({ own, next: own }))).own;
  const known = party.id === 0 ? flat(addWords(x.own, x.next)) : undefined;
  const length = width * planeWords(rows);
  const first = yield* input(party, 'boolean', { owner: 0, length, words: known });
  const place = slotOf(party, 2);
  const last = trivial(party, 2, place && flat(x[place]), length);
  return yield* addBits(
    party,
    { rows, planes: asPlanes(first, rows, width) },
    { rows, planes: asPlanes(last, rows, width) },
  );
}
