import { all } from './compare.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { not, type Bits, type Plane } from './shares.js';

/** A column and the values that it may have, in their order. */
export interface FiniteKey {
  bits: Bits;
  values: readonly bigint[];
}

/** All combinations of some lists, the last one changing fastest. */
export const product = <T>(lists: readonly (readonly T[])[]): T[][] =>
  lists.reduce<T[][]>(
    (rows, list) => rows.flatMap((row) => list.map((one) => [...row, one])),
    [[]],
  );

/**
 * Small key space (11.5): for each combination of key values, in their order, the live rows that have it, by one short
 * equality each in one batch. ⌈log2(w + 1)⌉ rounds, w the summed width of the keys.
 */
export const combinations = (
  party: Party,
  keys: readonly FiniteKey[],
  valid: Plane,
): Protocol<Plane[]> =>
  all(
    party,
    product(keys.map(({ values }) => values)).map((row) => [
      valid,
      ...row.flatMap((value, k) =>
        keys[k].bits.planes.map((plane, j) =>
          (value >> BigInt(j)) & 1n ? plane : not(party, plane),
        ),
      ),
    ]),
  );
