/** An interval of integers, both ends included. */
export interface Range {
  min: bigint;
  max: bigint;
}

/** `label`: CATEGORY and dictionary VARCHAR, an index; `hash`: VARCHAR of which only 64 bits of an HMAC exist. */
export type Kind = 'number' | 'date' | 'label' | 'hash';

/** Everything that the engine knows of a value that it never sees. A number is value × 10^scale. */
export interface ValueType extends Range {
  kind: Kind;
  scale: number;
  /** In index order, for labels only. */
  labels?: readonly string[];
}

export const INT32: Range = { min: -(2n ** 31n), max: 2n ** 31n - 1n };
export const INT64: Range = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

export const within = (inner: Range, outer: Range): boolean =>
  inner.min >= outer.min && inner.max <= outer.max;

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

const DAY = 86_400_000;
const days = (milliseconds: number): bigint => BigInt(milliseconds / DAY);

/** Days since 1970-01-01 of a calendar day of the years 1 to 9999 (proleptic Gregorian), else undefined. */
export function dayOf(text: string): bigint | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match || match[1] === '0000') return undefined;
  const milliseconds = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  return new Date(milliseconds).toISOString().startsWith(text) ? days(milliseconds) : undefined;
}

export const ALL_DAYS: Range = {
  min: days(Date.parse('0001-01-01T00:00:00Z')),
  max: days(Date.parse('9999-12-31T00:00:00Z')),
};
