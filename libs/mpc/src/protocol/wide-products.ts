import { input } from './input.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { lanes } from './planes.js';
import { reshare, zeroStreams } from './products.js';
import { slotOf, trivial, xorWords, type Plane, type Shares } from './shares.js';
import { sumWide } from './sums.js';
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

/**
 * Σ x·y over all rows in Z_2^64, for each pair of columns of one length (11.4, dot product): 1 round, 2 words per pair.
 * @returns one value per pair.
 */
export function* dotWide(
  party: Party,
  pairs: readonly (readonly [Shares, Shares])[],
): Protocol<Shares> {
  const [f, g] = zeroStreams(party, 2 * pairs.length);
  const sums = pairs.map(([x, y]) => sumWide(crossed(x, y)));
  const lows = sums.map((sum) => sum[0]);
  const highs = sums.map((sum) => sum[1]);
  const products = Int32Array.from([...lows, ...highs]);
  return yield* reshare(addWide(subtractWide(f, g), products));
}

const withZeros = (low: Int32Array): Int32Array => {
  const wide = new Int32Array(2 * low.length);
  wide.set(low);
  return wide;
};

/** Bits as values 0 and 1 in Z_2^64 (11.4, B2A into Z_2^64): 2 rounds, 4 words. */
export function* toWideBit(party: Party, plane: Plane, rows: number): Protocol<Shares> {
  const length = 2 * rows;
  const known = party.id === 0 ? lanes(xorWords(plane.own, plane.next), rows) : undefined;
  const t = yield* input(party, 'wide', { owner: 0, length, words: known && withZeros(known) });
  const place = slotOf(party, 2);
  const w = trivial(party, 2, place && withZeros(lanes(plane[place], rows)), length);
  const product = yield* multiplyWide(party, t, w);
  const twice = {
    own: addWide(product.own, product.own),
    next: addWide(product.next, product.next),
  };
  return {
    own: subtractWide(addWide(t.own, w.own), twice.own),
    next: subtractWide(addWide(t.next, w.next), twice.next),
  };
}
