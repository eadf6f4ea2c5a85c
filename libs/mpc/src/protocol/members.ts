import { all } from './compare.js';
import type { Selection } from './disclosure.js';
import type { Frame } from './groups.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import type { Bits, Plane, Shares } from './shares.js';

/** Rows of which members are counted. */
export interface Counted {
  rows: number;
  valid: Plane;
  /** Numbered as in `Selection`. */
  flags: readonly Plane[];
  /** Frame over keys and unit, where units are counted; rows are sorted by (V descending, keys, unit). */
  units?: Frame;
}

/** h_o for each owner: whether the index of a row is o. */
export function* ownerFlags(party: Party, index: Bits, owners: number): Protocol<Plane[]> {
  yield* all(party, []);
  throw new Error(`to come: ${index.rows} ${owners}`);
}

/**
 * For each selection 0 or 1 per row in Z_2^32; the sum over the rows of a group (`collect`, `total`) is its members.
 */
export function* memberWords(
  party: Party,
  counted: Counted,
  selections: readonly Selection[],
): Protocol<Shares[]> {
  yield* all(party, []);
  throw new Error(`to come: ${counted.rows} ${selections.length}`);
}
