import { all, biased, greater } from './compare.js';
import { together, type Protocol } from './link.js';
import type { Party } from './party.js';
import { and } from './products.js';
import { not, publicPlane, xor, type Bits, type Plane } from './shares.js';

const bitAt = (value: bigint, j: number): boolean => ((value >> BigInt(j)) & 1n) === 1n;

/** The low `width` bits of a public value, in every row. */
export const publicBits = (party: Party, value: bigint, rows: number, width: number): Bits => ({
  rows,
  planes: Array.from({ length: width }, (_, j) => publicPlane(party, rows, bitAt(value, j))),
});

export interface Bounds {
  min: bigint;
  max: bigint;
  /** The planes are two's complement. */
  signed: boolean;
}

/**
 * min ≤ x ≤ max for public bounds that the width of x holds (11.4, BETWEEN): both comparisons in one batch and an AND,
 * 2 + ⌈log2 w⌉ rounds.
 */
export function* between(party: Party, x: Bits, { min, max, signed }: Bounds): Protocol<Plane> {
  const ordered = (value: Bits): Bits => (signed ? biased(party, value) : value);
  const bound = (value: bigint): Bits => ordered(publicBits(party, value, x.rows, x.planes.length));
  const value = ordered(x);
  const [below, above] = yield* together(
    greater(party, bound(min), value),
    greater(party, value, bound(max)),
  );
  const [inside] = yield* and(party, [not(party, below)], [not(party, above)]);
  return inside;
}

/**
 * Whether x is one of some public values (11.4, IN): equality with all of them in one batch; at most one holds, so that OR is
 * XOR. ⌈log2 w⌉ rounds, (w - 1)/32 words for each different value.
 */
export function* isOneOf(party: Party, x: Bits, values: readonly bigint[]): Protocol<Plane> {
  const width = x.planes.length;
  const distinct = [...new Set(values.map((value) => BigInt.asUintN(width, value)))];
  const hits = yield* all(
    party,
    distinct.map((value) =>
      x.planes.map((plane, j) => (bitAt(value, j) ? plane : not(party, plane))),
    ),
  );
  return hits.reduce(xor, publicPlane(party, x.rows, false));
}
