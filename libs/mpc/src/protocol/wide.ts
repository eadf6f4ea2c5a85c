import { join, type Shares, type Wide } from './shares.js';

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

/** Inclusive prefix sum. */
function prefixWide(words: Int32Array): Int32Array {
  const out = new Int32Array(words.length);
  const half = words.length / 2;
  let low = 0;
  let high = 0;
  for (let i = 0; i < half; i += 1) {
    const sum = low + (words[i] >>> 0);
    high = (high + words[half + i] + (sum > 0xffffffff ? 1 : 0)) | 0;
    low = sum >>> 0;
    out[i] = low;
    out[half + i] = high;
  }
  return out;
}

/** Each value but the first less the one before it. */
function stepsWide(words: Int32Array): Int32Array {
  const half = words.length / 2;
  const before = new Int32Array(words.length);
  before.set(words.subarray(0, half - 1), 1);
  before.set(words.subarray(half, words.length - 1), half + 1);
  return subtractWide(words, before);
}

const both = (x: Shares, of: (words: Int32Array) => Int32Array): Shares => ({
  own: of(x.own),
  next: of(x.next),
});

/** Sums from the first row on, local. */
export const prefixSums = (x: Shares): Shares => both(x, prefixWide);

/** What each row adds to the one before it, local: the inverse of `prefixSums`. */
export const differences = (x: Shares): Shares => both(x, stepsWide);

/** A lifted column as it moves through sorts. */
export const flattened = ({ low, high }: Wide): Shares => join([low, high]);
