import { joinWords, planeWords, scale, type Bits, type Shares } from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import { scaleWide } from '../protocol/wide.js';

/** Values of Z_2^64. */
export const isWide = ({ form }: Column): boolean => form === 'wide';

const mapped = ({ own, next }: Shares, of: (words: Int32Array) => Int32Array): Shares => ({
  own: of(own),
  next: of(next),
});

/** Words of Z_2^32: the low ones of a 64-bit sharing are a sharing mod 2^32 (jobs.md 7.1). */
export const low = (column: Column): Column =>
  isWide(column)
    ? {
        form: 'arithmetic',
        shares: mapped(column.shares, (words) => words.subarray(0, words.length / 2)),
      }
    : column;

/** The part of a factor above 2^32 counts for the high words alone. */
function scaledWide(shares: Shares, factor: bigint): Shares {
  const upper = Number(BigInt.asIntN(32, factor >> 32n));
  const product = scaleWide(shares, Number(BigInt.asUintN(32, factor)));
  const withUpper = (words: Int32Array, by: Int32Array): Int32Array => {
    const half = words.length / 2;
    for (let i = 0; i < half; i += 1) words[half + i] += Math.imul(by[i], upper);
    return words;
  };
  return {
    own: withUpper(product.own, shares.own),
    next: withUpper(product.next, shares.next),
  };
}

/** The product with a public factor: local. */
export const scaled = ({ form, shares }: Column, factor: bigint): Column => ({
  form,
  shares:
    form === 'wide' ? scaledWide(shares, factor) : scale(shares, Number(BigInt.asIntN(32, factor))),
});

/** The first rows of a column. */
export function firstRows({ form, shares, ...column }: Column, count: number): Column {
  const cut = (words: Int32Array): Int32Array => {
    const half = words.length / 2;
    return form === 'wide'
      ? joinWords([words.subarray(0, count), words.subarray(half, half + count)])
      : words.subarray(0, count);
  };
  return { ...column, form, shares: mapped(shares, cut) };
}

/** The first rows of bits; lanes beyond the last are of no meaning. */
export const firstBits = ({ planes }: Bits, count: number): Bits => ({
  rows: count,
  planes: planes.map((plane) => mapped(plane, (words) => words.subarray(0, planeWords(count)))),
});

/** A column behind as many rows of zeros. */
export function padded({ form, shares, ...column }: Column, rows: number): Column {
  const none = new Int32Array(rows);
  const behind = (words: Int32Array): Int32Array => {
    const half = words.length / 2;
    return form === 'wide'
      ? joinWords([none, words.subarray(0, half), none, words.subarray(half)])
      : joinWords([none, words]);
  };
  return { ...column, form, shares: mapped(shares, behind) };
}
