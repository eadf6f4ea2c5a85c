import { INT32, within, type Range } from '@glacis/shares';

export const union = (a: Range, b: Range): Range => ({
  min: a.min < b.min ? a.min : b.min,
  max: a.max > b.max ? a.max : b.max,
});

const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

/**
 * Bits of a value in sort and compare (jobs.md 11.3): the bit length of max, at least 1, where nothing is negative, else
 * that of the smallest two's complement form that holds both ends.
 */
export function widthOf({ min, max }: Range): number {
  if (min >= 0n) return Math.max(1, bitLength(max));
  return 1 + Math.max(bitLength(-min - 1n), max > 0n ? bitLength(max) : 0);
}

/** Words of a ring: 32 bit where the range allows it. */
export const ringOf = (range: Range): 32 | 64 => (within(range, INT32) ? 32 : 64);
