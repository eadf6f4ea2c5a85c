import { toArithmetic } from './arithmetic.js';
import type { Protocol } from './link.js';
import { open } from './open.js';
import type { Party } from './party.js';
import { planeOf } from './planes.js';
import { and, reshare, zeroStreams } from './products.js';
import { add, addWords, not, slotOf, xor, type Plane, type Shares } from './shares.js';
import { rowsOf, shuffle, type Column } from './shuffle.js';

/** One bit of the key: a bit of a boolean column; flipped for the top bit of signed keys, descending keys and ¬V. */
export interface KeyBit {
  column: number;
  bit: number;
  flipped: boolean;
}

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
  const own = firstPlaces(
    ones.map((bits) => bits.own),
    rows,
    place === 'own',
  );
  const next = firstPlaces(
    ones.map((bits) => bits.next),
    rows,
    place === 'next',
  );
  const [f, g] = zeroStreams(party, rows);
  for (let i = 0; i < rows; i += 1) f[i] -= g[i];
  let ownSum = own[rows - 1];
  let nextSum = next[rows - 1];
  for (const h of ones) {
    for (let i = 0; i < rows; i += 1) {
      ownSum = (ownSum + h.own[i]) | 0;
      nextSum = (nextSum + h.next[i]) | 0;
      const x = ownSum - own[i];
      f[i] += Math.imul(h.own[i], x + nextSum - next[i]) + Math.imul(h.next[i], x);
    }
  }
  return add(yield* reshare(f), { own, next });
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

/** The bits of the next digit, from the columns as they lie now. */
function digitOf(party: Party, key: readonly KeyBit[], columns: readonly Column[]): Plane[] {
  return key.map(({ column, bit, flipped }) => {
    const { own, next } = columns[column].shares;
    const plane = { own: planeOf(own, bit), next: planeOf(next, bit) };
    return flipped ? not(party, plane) : plane;
  });
}

/** Bits of the digits of a sort: three take fewer rounds and, from four words per row on, fewer words. */
export type DigitBits = 2 | 3;

/** Size of the next digit: no single bit is left over where two digits of two bits, or one of three, can be. */
function digitSize(left: number, digit: DigitBits): number {
  if (digit === 2) return left === 3 ? 3 : Math.min(2, left);
  return left === 4 ? 2 : Math.min(3, left);
}

/** Digits from the low end; an odd number of bits ends in a digit of three, a single bit is one of its own. */
export function digitsOf<T>(key: readonly T[], digit: DigitBits = 2): T[][] {
  const digits: T[][] = [];
  for (let at = 0; at < key.length;) {
    const size = digitSize(key.length - at, digit);
    digits.push(key.slice(at, at + size));
    at += size;
  }
  return digits;
}

/**
 * Radix sort (11.5), stable: rows of all columns by a key of any bits of boolean columns.
 * @param key from the lowest bit to the highest; ¬V, where dead rows are to come last, is the highest.
 */
export function* sort(
  party: Party,
  columns: readonly Column[],
  key: readonly KeyBit[],
  digit: DigitBits = 2,
): Protocol<Column[]> {
  let sorted = [...columns];
  for (const bits of digitsOf(key, digit))
    sorted = yield* digitPass(party, digitOf(party, bits, sorted), sorted);
  return sorted;
}
