import { asPlanes } from './adder.js';
import { greater } from './compare.js';
import { input } from './input.js';
import { together, type Protocol } from './link.js';
import type { Party } from './party.js';
import { lanesInto, planesOfWords } from './planes.js';
import { reshare, zeroStreams } from './products.js';
import {
  addConstant,
  addInto,
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

/**
 * Bits as values 0 and 1 in Z_2^32 (11.4, B2A of one bit): t = b0 ⊕ b1 is an input of party 0, w = b2 stands alone in slot 2,
 * and the bit is t + w - 2·t·w, of which each party reshares its slot. 2 rounds, 2 words per bit.
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
  const [f, g] = zeroStreams(party, length);
  subtractInto(f, g);
  addDifference(party, f, t, b2);
  return split(
    yield* reshare(f),
    planes.map(() => rows),
  );
}

/** Adds this party's slot of t + w - 2·t·w where w, 0 or 1, is slot 2 alone: of the products t_0·w and t_1·w are left. */
function addDifference(party: Party, f: Int32Array, t: Shares, w: Int32Array | undefined): void {
  addInto(f, t.own);
  if (!w) return;
  const factor = party.id === 1 ? t.own : t.next;
  for (let i = 0; i < f.length; i += 1) f[i] = (f[i] - ((factor[i] & -w[i]) << 1)) | 0;
  if (party.id === 2) addInto(f, w);
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
