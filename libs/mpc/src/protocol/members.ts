import { toArithmetic } from './arithmetic.js';
import { all } from './compare.js';
import type { Selection } from './disclosure.js';
import type { Frame } from './groups.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { and } from './products.js';
import { runOr } from './runs.js';
import { not, type Bits, type Plane, type Shares } from './shares.js';

/** Rows of which members are counted. */
export interface Counted {
  rows: number;
  valid: Plane;
  /** Numbered as in `Selection`. */
  flags: readonly Plane[];
  /** Frame over keys and unit, where units are counted; rows are sorted by (V descending, keys, unit). */
  units?: Frame;
}

/** h_o for each owner (11.12): whether the index of a row is o. ⌈log2 w⌉ rounds. */
export const ownerFlags = (party: Party, index: Bits, owners: number): Protocol<Plane[]> =>
  all(
    party,
    Array.from({ length: owners }, (_, owner) =>
      index.planes.map((plane, j) => ((owner >>> j) & 1 ? plane : not(party, plane))),
    ),
  );

/**
 * For each selection 0 or 1 per row in Z_2^32; the sum over the rows of a group (`collect`, `total`) is its members (11.12). A
 * unit is counted in its last row if any of its rows is of the selection.
 */
export function* memberWords(
  party: Party,
  { rows, valid, flags, units }: Counted,
  selections: readonly Selection[],
): Protocol<Shares[]> {
  const chosen = yield* all(
    party,
    selections.map(({ with: ones, without }) => [
      valid,
      ...ones.map((flag) => flags[flag]),
      ...without.map((flag) => not(party, flags[flag])),
    ]),
  );
  if (!units) return yield* toArithmetic(party, chosen, rows);
  const found = yield* runOr(party, units.g, chosen, rows);
  const last = yield* and(
    party,
    found,
    found.map(() => units.last),
  );
  return yield* toArithmetic(party, last, rows);
}
