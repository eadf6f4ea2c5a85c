import { toArithmetic } from './arithmetic.js';
import type { Protocol } from './link.js';
import { open } from './open.js';
import type { Party } from './party.js';
import { and, reshare, zeroStreams } from './products.js';
import { addInto, addWords, slotOf, subtractInto, xor, type Plane, type Shares } from './shares.js';
import { rowsOf, shuffle, type Column } from './shuffle.js';

/** Bits of an n-bit digit in unary: for each digit value but 0 the plane that says whether it is this one. */
function* digitValues(party: Party, bits: readonly Plane[]): Protocol<Plane[]> {
  const [b0, b1, b2] = bits;
  if (!b1) return [b0];
  if (!b2) {
    const [t] = yield* and(party, [b1], [b0]);
    return [xor(b0, t), xor(b1, t), t];
  }
  const [p, q, s] = yield* and(party, [b1, b2, b2], [b0, b0, b1]);
  const [h7] = yield* and(party, [s], [b0]);
  const h3 = xor(p, h7);
  const h5 = xor(q, h7);
  const h6 = xor(s, h7);
  return [xor(xor(b0, p), h5), xor(xor(b1, p), h6), h3, xor(xor(b2, q), h6), h5, h6, h7];
}

/** Slot words of c_0, the place of each row among those of digit 0: i + 1 less the rows of other digits up to it. */
function firstPlaces(ones: readonly Int32Array[], rows: number, counts: boolean): Int32Array {
  const places = new Int32Array(rows);
  if (counts) for (let i = 0; i < rows; i += 1) places[i] = i + 1;
  for (const bits of ones) {
    let sum = 0;
    for (let i = 0; i < rows; i += 1) {
      sum = (sum + bits[i]) | 0;
      places[i] -= sum;
    }
  }
  return places;
}

/**
 * Σ_j h_j·c_j for each row, c_j being the rows of smaller digits and those of digit j up to this one (11.5): one dot word. With
 * h_0 = 1 - h_1 - h_2 - … it is c_0 + Σ_j h_j·(c_j - c_0), one product fewer; c_j is made as it is used.
 */
function* ranksOf(party: Party, ones: readonly Shares[], rows: number): Protocol<Shares> {
  const place = slotOf(party, 0);
  const first = {
    own: firstPlaces(
      ones.map((bits) => bits.own),
      rows,
      place === 'own',
    ),
    next: firstPlaces(
      ones.map((bits) => bits.next),
      rows,
      place === 'next',
    ),
  };
  const [f, g] = zeroStreams(party, rows);
  subtractInto(f, g);
  addPlaces(f, ones, first);
  addInto(f, first.own);
  return yield* reshare(f);
}

/** Adds what a party computes of Σ_j h_j·(c_j - c_0). */
function addPlaces(f: Int32Array, ones: readonly Shares[], first: Shares): void {
  let ownSum = first.own[f.length - 1];
  let nextSum = first.next[f.length - 1];
  for (const { own, next } of ones) {
    for (let i = 0; i < f.length; i += 1) {
      ownSum = (ownSum + own[i]) | 0;
      nextSum = (nextSum + next[i]) | 0;
      const x = (ownSum - first.own[i]) | 0;
      const y = (nextSum - first.next[i]) | 0;
      f[i] = (f[i] + Math.imul(own[i], (x + y) | 0) + Math.imul(next[i], x)) | 0;
    }
  }
}

/** Row i goes to place rank[i] - 1, in each half of a wide column. */
function scatter(words: Int32Array, rank: Int32Array): Int32Array {
  const out = new Int32Array(words.length);
  for (let half = 0; half < out.length; half += rank.length)
    for (let i = 0; i < rank.length; i += 1) out[half + rank[i] - 1] = words[half + i];
  return out;
}

/** Row i of a column goes to place rank[i], counted from 1; ranks are public. */
export const scattered = (column: Column, rank: Int32Array): Column => ({
  ...column,
  shares: {
    own: scatter(column.shares.own, rank),
    next: scatter(column.shares.next, rank),
  },
});

/**
 * Rows in the order of one digit of up to three bits, stable (11.5, digit pass; Chida et al., eprint 2019/695): ranks by B2A
 * and one dot word, shuffled with the columns and opened. 7, 8 or 9 rounds; 6, 10 or 18 and 2 words per column.
 */
export function* digitPass(
  party: Party,
  digit: readonly Plane[],
  columns: readonly Column[],
): Protocol<Column[]> {
  const rows = rowsOf(columns[0]);
  const planes = yield* digitValues(party, digit);
  const ones = yield* toArithmetic(party, planes, rows);
  const ranked: Column = { form: 'arithmetic', shares: yield* ranksOf(party, ones, rows) };
  const [shuffled, ...moved] = yield* shuffle(party, [ranked, ...columns]);
  const order = yield* open(shuffled.shares, addWords);
  return moved.map((column) => scattered(column, order));
}
