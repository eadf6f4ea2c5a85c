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
