import { planesOfWords, wordsOfPlanes } from './planes.js';
import { join, joinWords, type Shares, type Wide } from './shares.js';

/*
 * Arrays of values of Z_2^64: all low words, then all high words. BigInt would make an object of every value.
 */

export function addWide(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length);
  const half = a.length / 2;
  for (let i = 0; i < half; i += 1) {
    const low = (a[i] >>> 0) + (b[i] >>> 0);
    out[i] = low;
    out[half + i] = a[half + i] + b[half + i] + (low > 0xffffffff ? 1 : 0);
  }
  return out;
}

export function subtractWide(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length);
  const half = a.length / 2;
  for (let i = 0; i < half; i += 1) {
    const low = (a[i] >>> 0) - (b[i] >>> 0);
    out[i] = low;
    out[half + i] = a[half + i] - b[half + i] - (low < 0 ? 1 : 0);
  }
  return out;
}

/** High word of the product of two unsigned words (Warren, Hacker's Delight 8-2). */
export function highWord(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carried = a0 * b1 + (middle & 0xffff);
  return a1 * b1 + (middle >>> 16) + (carried >>> 16);
}

/** A lifted column as it moves through sorts. */
export const flattened = ({ low, high }: Wide): Shares => join([low, high]);

/** The lowest `width` bits of 64-bit words as planes. */
export function widePlanes(words: Int32Array, width: number): Int32Array[] {
  const half = words.length / 2;
  return [
    ...planesOfWords(words.subarray(0, half), Math.min(width, 32)),
    ...(width > 32 ? planesOfWords(words.subarray(half), width - 32) : []),
  ];
}

/** The 64-bit words of which these are the planes. */
export const wideOfPlanes = (planes: readonly Int32Array[], rows: number): Int32Array =>
  joinWords([wordsOfPlanes(planes.slice(0, 32), rows), wordsOfPlanes(planes.slice(32), rows)]);

/** c·x in Z_2^64 for a public c from 0 to 2^32 - 1: local. */
export function scaleWide(x: Shares, factor: number): Shares {
  const times = (words: Int32Array): Int32Array => {
    const out = new Int32Array(words.length);
    const half = words.length / 2;
    for (let i = 0; i < half; i += 1) {
      out[i] = Math.imul(words[i], factor);
      out[half + i] = highWord(words[i], factor) + Math.imul(words[half + i], factor);
    }
    return out;
  };
  return { own: times(x.own), next: times(x.next) };
}

export const addWideShares = (x: Shares, y: Shares): Shares => ({
  own: addWide(x.own, y.own),
  next: addWide(x.next, y.next),
});

export const subtractWideShares = (x: Shares, y: Shares): Shares => ({
  own: subtractWide(x.own, y.own),
  next: subtractWide(x.next, y.next),
});
