import { input } from './input.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { lanes } from './planes.js';
import { reshare, zeroStreams } from './products.js';
import { slotOf, trivial, xorWords, type Plane, type Shares } from './shares.js';
import { addWide, subtractWide } from './wide.js';

/** High word of the product of two unsigned words (Warren, Hacker's Delight 8-2). */
function highWord(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carried = a0 * b1 + (middle & 0xffff);
  return a1 * b1 + (middle >>> 16) + (carried >>> 16);
}

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

/** Products in Z_2^64 of wide columns (11.4, 64-bit columns): 1 round, 2 words. */
export function* multiplyWide(party: Party, x: Shares, y: Shares): Protocol<Shares> {
  const [f, g] = zeroStreams(party, x.own.length);
  const own = multiplyWords(x.own, addWide(y.own, y.next));
  const crossed = addWide(own, multiplyWords(x.next, y.own));
  return yield* reshare(addWide(subtractWide(f, g), crossed));
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
