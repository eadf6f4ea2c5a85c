import { asPlanes } from './adder.js';
import { greater } from './compare.js';
import { input } from './input.js';
import { together, type Protocol } from './link.js';
import type { Party } from './party.js';
import { lanesInto, planesOfWords } from './planes.js';
import { reshare, zeroStreams } from './products.js';
import {
  addConstant,
  addWords,
  joinWords,
  not,
  scale,
  slotOf,
  split,
  subtractInto,
  trivial,
  xorWords,
  add,
  type Plane,
  type Shares,
  type Wide,
} from './shares.js';

/** All lanes of all planes as words 0 or 1, one plane after another. */
function bitsOf(planes: readonly Int32Array[], rows: number): Int32Array {
  const words = new Int32Array(planes.length * rows);
  planes.forEach((plane, j) => lanesInto(words.subarray(j * rows, (j + 1) * rows), plane));
  return words;
}

/** t + w - 2·p. */
function sumOf(t: Int32Array, p: Int32Array, w: Int32Array | undefined): Int32Array {
  const out = new Int32Array(t.length);
  for (let i = 0; i < out.length; i += 1) out[i] = (t[i] - (p[i] << 1)) | 0;
  if (w) for (let i = 0; i < out.length; i += 1) out[i] = (out[i] + w[i]) | 0;
  return out;
}

/**
 * Bits as values 0 and 1 in Z_2^32 (11.4, B2A of one bit): t = b0 ⊕ b1 is an input of party 0, w = b2 stands alone in slot 2,
 * and the bit is t + w - 2·t·w. 2 rounds, 2 words per bit.
 * @returns one column of words for each plane.
 */
export function* toArithmetic(
  party: Party,
  planes: readonly Plane[],
  rows: number,
): Protocol<Shares[]> {
  const length = planes.length * rows;
  const known =
    party.id === 0
      ? bitsOf(
          planes.map((plane) => xorWords(plane.own, plane.next)),
          rows,
        )
      : undefined;
  const t = yield* input(party, 'arithmetic', { owner: 0, length, words: known });
  const place = slotOf(party, 2);
  const b2 =
    place &&
    bitsOf(
      planes.map((plane) => plane[place]),
      rows,
    );
  const product = yield* selected(party, t, b2);
  const sum = {
    own: sumOf(t.own, product.own, place === 'own' ? b2 : undefined),
    next: sumOf(t.next, product.next, place === 'next' ? b2 : undefined),
  };
  return split(
    sum,
    planes.map(() => rows),
  );
}

/** t·w where w, 0 or 1, is slot 2 alone: of the local products only t_1·w and t_0·w are left, at parties 1 and 2. */
function* selected(party: Party, t: Shares, w: Int32Array | undefined): Protocol<Shares> {
  const [f, g] = zeroStreams(party, t.own.length);
  subtractInto(f, g);
  if (w) addWhere(f, party.id === 1 ? t.own : t.next, w);
  return yield* reshare(f);
}

/** Adds the words beside which there is a 1. */
function addWhere(f: Int32Array, words: Int32Array, bits: Int32Array): void {
  for (let i = 0; i < f.length; i += 1) f[i] = (f[i] + (words[i] & -bits[i])) | 0;
}

const flat = (words: Int32Array): Int32Array => joinWords(planesOfWords(words, 32));

const carryOf = (a: Int32Array, b: Int32Array): Int32Array => {
  const carry = new Int32Array(a.length);
  for (let i = 0; i < a.length; i += 1) carry[i] = (a[i] >>> 0) + (b[i] >>> 0) > 0xffffffff ? 1 : 0;
  return carry;
};

/** Takes the public 2^31 from 64-bit words, in slot 0. */
function unbias(party: Party, { low, high }: Wide): Wide {
  const place = slotOf(party, 0);
  if (!place) return { low, high };
  const words = high[place].slice();
  // Minus 2^31 is 2^31 in the low word and -1 in the high one; the low word carries where its top bit is set.
  for (let i = 0; i < words.length; i += 1) words[i] += (low[place][i] >>> 31) - 1;
  const lower = low[place].map((word) => word ^ 0x80000000);
  return { low: { ...low, [place]: lower }, high: { ...high, [place]: words } };
}

/**
 * Signed values of Z_2^32 in Z_2^64 (11.4, lift): the carries of the three slots, the first known to party 0, the second the
 * carry-out of the adder alone, are taken from the high words. 9 rounds, 7 words.
 */
export function* lift(party: Party, x: Shares): Protocol<Wide> {
  const rows = x.own.length;
  const low = addConstant(party, x, 0x80000000);
  const knows = party.id === 0;
  const sum = addWords(low.own, low.next);
  const bits = knows ? flat(sum) : undefined;
  const length = flat(new Int32Array(rows)).length;
  const carry = knows ? carryOf(low.own, low.next) : undefined;
  const [first, a] = yield* together(
    input(party, 'arithmetic', { owner: 0, length: rows, words: carry }),
    input(party, 'boolean', { owner: 0, length, words: bits }),
  );
  const place = slotOf(party, 2);
  const b = trivial(party, 2, place && flat(low[place]), length);
  const inverted = asPlanes(b, rows, 32).map((plane) => not(party, plane));
  const over = yield* greater(
    party,
    { rows, planes: asPlanes(a, rows, 32) },
    { rows, planes: inverted },
  );
  const [second] = yield* toArithmetic(party, [over], rows);
  return unbias(party, { low, high: scale(add(first, second), -1) });
}
