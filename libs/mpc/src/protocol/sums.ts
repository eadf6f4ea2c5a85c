import type { Shares } from './shares.js';
import type { Column } from './shuffle.js';
import { subtractWide } from './wide.js';

/*
 * Sums over rows are local: each party adds up its slots.
 */

function prefixWords(words: Int32Array): Int32Array {
  const out = new Int32Array(words.length);
  let sum = 0;
  for (let i = 0; i < out.length; i += 1) {
    sum = (sum + words[i]) | 0;
    out[i] = sum;
  }
  return out;
}

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

function stepsWords(words: Int32Array): Int32Array {
  const out = words.slice();
  for (let i = 1; i < out.length; i += 1) out[i] = words[i] - words[i - 1];
  return out;
}

function stepsWide(words: Int32Array): Int32Array {
  const half = words.length / 2;
  const before = new Int32Array(words.length);
  before.set(words.subarray(0, half - 1), 1);
  before.set(words.subarray(half, words.length - 1), half + 1);
  return subtractWide(words, before);
}

function sumWords(words: Int32Array): Int32Array {
  let sum = 0;
  for (let i = 0; i < words.length; i += 1) sum = (sum + words[i]) | 0;
  return new Int32Array([sum]);
}

/** Sum of all values, as two words. */
function sumWide(words: Int32Array): Int32Array {
  const half = words.length / 2;
  let low = 0;
  let high = 0;
  for (let i = 0; i < half; i += 1) {
    const sum = low + (words[i] >>> 0);
    high = (high + words[half + i] + (sum > 0xffffffff ? 1 : 0)) | 0;
    low = sum >>> 0;
  }
  return new Int32Array([low, high]);
}

const slots = ({ own, next }: Shares, of: (words: Int32Array) => Int32Array): Shares => ({
  own: of(own),
  next: of(next),
});

/** Sums from the first row on, in the ring of an arithmetic or a wide column. */
export const prefixSums = ({ form, shares }: Column): Column => ({
  form,
  shares: slots(shares, form === 'wide' ? prefixWide : prefixWords),
});

/** What each row adds to the one before it: the inverse of `prefixSums`. */
export const differences = ({ form, shares }: Column): Shares =>
  slots(shares, form === 'wide' ? stepsWide : stepsWords);

/** Sum of all rows: one value. */
export const total = ({ form, shares }: Column): Shares =>
  slots(shares, form === 'wide' ? sumWide : sumWords);
