import { addBits, asPlanes } from './adder.js';
import { input } from './input.js';
import type { Protocol } from './link.js';
import { openExcept } from './open.js';
import type { Party } from './party.js';
import { planesOfWords, signExtended, wordsOfPlanes } from './planes.js';
import {
  addWords,
  join,
  joinWords,
  planeWords,
  slotOf,
  subtractWords,
  trivial,
  xorWords,
  type Bits,
  type Shares,
} from './shares.js';
import { addWide, subtractWide, wideOfPlanes, widePlanes } from './wide.js';

interface Ring {
  width: 32 | 64;
  words: number;
  plus: (a: Int32Array, b: Int32Array) => Int32Array;
  minus: (a: Int32Array, b: Int32Array) => Int32Array;
  planesOf: (words: Int32Array) => Int32Array[];
  wordsOf: (planes: readonly Int32Array[], rows: number) => Int32Array;
}
const NARROW: Ring = {
  width: 32,
  words: 1,
  plus: addWords,
  minus: subtractWords,
  planesOf: (words) => planesOfWords(words, 32),
  wordsOf: wordsOfPlanes,
};
const WIDE: Ring = {
  width: 64,
  words: 2,
  plus: addWide,
  minus: subtractWide,
  planesOf: (words) => widePlanes(words, 64),
  wordsOf: wideOfPlanes,
};

/**
 * Slots 1 and 2 are key streams; what is left of x is opened to parties 0 and 2, each of which lacks one of them.
 * @param x as many planes as the ring has bits.
 */
function* converted(party: Party, x: Bits, ring: Ring): Protocol<Shares> {
  const { rows } = x;
  const step = party.step();
  const mask = (key: 'next' | 'previous'): Int32Array =>
    party.stream(key, step, 'mask').words(ring.words * rows);
  const first = party.id === 2 ? undefined : mask(party.id === 0 ? 'next' : 'previous');
  const second = party.id === 0 ? undefined : mask(party.id === 1 ? 'next' : 'previous');
  const negated =
    first && second && ring.minus(ring.minus(new Int32Array(first.length), first), second);
  const masks = yield* input(party, 'boolean', {
    owner: 1,
    length: ring.width * planeWords(rows),
    words: negated && joinWords(ring.planesOf(negated)),
  });
  const left = yield* addBits(party, x, { rows, planes: asPlanes(masks, rows, ring.width) });
  const opened = yield* openExcept(party, 1, join(left.planes), xorWords);
  const length = planeWords(rows);
  const zero =
    opened &&
    ring.wordsOf(
      Array.from({ length: ring.width }, (_, j) => opened.subarray(j * length, (j + 1) * length)),
      rows,
    );
  const [own, next] = [
    [zero, first],
    [first, second],
    [second, zero],
  ][party.id];
  return { own: own as Int32Array, next: next as Int32Array };
}

/**
 * Boolean values in Z_2^32 (11.4, B2A of words): 8 rounds, 13 words.
 * @param x at most 32 planes; narrower values are extended, by their top bit where `signed`.
 */
export const wordsToArithmetic = (party: Party, x: Bits, signed: boolean): Protocol<Shares> =>
  converted(party, signExtended(x, 32, signed), NARROW);

/** Boolean values in Z_2^64, low words before high ones: 9 rounds, 30 words. */
export const wordsToWide = (party: Party, x: Bits, signed: boolean): Protocol<Shares> =>
  converted(party, signExtended(x, 64, signed), WIDE);

/**
 * The lowest `width` bits of words shared in Z_2^64 (11.4, A2B of 64-bit columns): 2 + ⌈log2 w⌉ rounds; 28 words for 64 bits.
 * @param x low words before high ones.
 */
export function* wideToBoolean(party: Party, x: Shares, width = 64): Protocol<Bits> {
  const rows = x.own.length / 2;
  const flat = (words: Int32Array): Int32Array => joinWords(widePlanes(words, width));
  const known = party.id === 0 ? flat(addWide(x.own, x.next)) : undefined;
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
