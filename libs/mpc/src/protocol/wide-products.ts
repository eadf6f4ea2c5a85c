import { input } from './input.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { lanes } from './planes.js';
import { reshare, zeroStreams } from './products.js';
import { slotOf, xorWords, type Plane, type Shares } from './shares.js';
import { addWide, highWord, subtractWide } from './wide.js';

function multiplyWords(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length);
  const half = a.length / 2;
  for (let i = 0; i < half; i += 1) {
    const crossed = Math.imul(a[i], b[half + i]) + Math.imul(a[half + i], b[i]);
    out[i] = Math.imul(a[i], b[i]);
    out[half + i] = highWord(a[i], b[i]) + crossed;
  }
  return out;
}

/** What a party computes of a product before it is masked. */
const crossed = (x: Shares, y: Shares): Int32Array =>
  addWide(multiplyWords(x.own, addWide(y.own, y.next)), multiplyWords(x.next, y.own));

/** Products in Z_2^64 of wide columns (11.4, 64-bit columns): 1 round, 2 words. */
export function* multiplyWide(party: Party, x: Shares, y: Shares): Protocol<Shares> {
  const [f, g] = zeroStreams(party, x.own.length);
  return yield* reshare(addWide(subtractWide(f, g), crossed(x, y)));
}

/** Σ a·b over all rows in Z_2^64: low and high word, without an array in between. */
function dot(a: Int32Array, b: Int32Array): Int32Array {
  const half = a.length / 2;
  let low = 0;
  let high = 0;
  for (let i = 0; i < half; i += 1) {
    high += highWord(a[i], b[i]) + Math.imul(a[i], b[half + i]) + Math.imul(a[half + i], b[i]);
    low += Math.imul(a[i], b[i]) >>> 0;
    high = (high + (low > 0xffffffff ? 1 : 0)) | 0;
    low >>>= 0;
  }
  return new Int32Array([low, high]);
}

/**
 * Σ x·y over all rows in Z_2^64, for each pair of columns of one length (11.4, dot product): 1 round, 2 words per pair.
 * @returns one value per pair.
 */
export function* dotWide(
  party: Party,
  pairs: readonly (readonly [Shares, Shares])[],
): Protocol<Shares> {
  const [f, g] = zeroStreams(party, 2 * pairs.length);
  const sums = pairs.map(([x, y]) =>
    [dot(x.own, y.own), dot(x.own, y.next), dot(x.next, y.own)].reduce(addWide),
  );
  const products = Int32Array.from([0, 1].flatMap((half) => sums.map((sum) => sum[half])));
  return yield* reshare(addWide(subtractWide(f, g), products));
}

const withZeros = (low: Int32Array): Int32Array => {
  const wide = new Int32Array(2 * low.length);
  wide.set(low);
  return wide;
};

/** Words where the bit is 1, zeros elsewhere. */
function where(bits: Int32Array, words: Int32Array): Int32Array {
  const out = new Int32Array(words.length);
  const half = bits.length;
  for (let i = 0; i < half; i += 1) {
    out[i] = -bits[i] & words[i];
    out[half + i] = -bits[i] & words[half + i];
  }
  return out;
}

/** This party's slot of t + w - 2·t·w. */
function difference(party: Party, t: Shares, w: Int32Array | undefined): Int32Array {
  if (!w) return t.own;
  const product = where(w, party.id === 1 ? t.own : t.next);
  const less = subtractWide(subtractWide(t.own, product), product);
  return party.id === 2 ? addWide(less, withZeros(w)) : less;
}

/**
 * Bits as values 0 and 1 in Z_2^64 (11.4, B2A into Z_2^64): as `toArithmetic`, where w, which stands in slot 2 alone, leaves
 * one local product at parties 1 and 2. 2 rounds, 4 words.
 */
export function* toWideBit(party: Party, plane: Plane, rows: number): Protocol<Shares> {
  const length = 2 * rows;
  const known = party.id === 0 ? lanes(xorWords(plane.own, plane.next), rows) : undefined;
  const t = yield* input(party, 'wide', { owner: 0, length, words: known && withZeros(known) });
  const place = slotOf(party, 2);
  const w = place && lanes(plane[place], rows);
  const [f, g] = zeroStreams(party, length);
  return yield* reshare(addWide(subtractWide(f, g), difference(party, t, w)));
}
