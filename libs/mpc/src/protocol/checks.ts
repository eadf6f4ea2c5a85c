import { all } from './compare.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import type { Plane, Shares, Bits } from './shares.js';

/** Whether both forms of a column have the same value in each row (jobs.md 8, `inconsistent_forms`): 12 rounds, 13 words. */
export function* sameForms(party: Party, arithmetic: Shares, boolean: Bits): Protocol<Plane> {
  yield* all(party, []);
  throw new Error(`to come: ${arithmetic.own.length} ${boolean.rows}`);
}

/**
 * Whether a bit is 1 in all rows of each owner, for each bit: AND trees, and one opened bit per owner and plane.
 * @param owners rows of each owner, in the order of the rows.
 * @returns by plane, then by owner; true where an owner has no rows.
 */
export function* holdForOwners(
  party: Party,
  planes: readonly Plane[],
  owners: readonly number[],
): Protocol<boolean[][]> {
  yield* all(party, []);
  throw new Error(`to come: ${planes.length} ${owners.length}`);
}
