import { toArithmetic } from './arithmetic.js';
import { all } from './compare.js';
import type { Selection } from './disclosure.js';
import type { Frame } from './groups.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import { and } from './products.js';
import { runOr } from './runs.js';
import { join, not, type Bits, type Plane, type Shares } from './shares.js';
import { total } from './sums.js';

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

/** Rows that lie as their owners brought them. */
export interface Brought {
  rows: number;
  /** For each slot the live rows that are in it. */
  slots: readonly Plane[];
  filters: readonly Plane[];
  /** Rows of each owner, in the order of the rows; absent where owners are not told apart. */
  owners: readonly number[];
}

/** Sums of the words from `first` to before `end`. */
const sumOf = ({ own, next }: Shares, [first, end]: readonly [number, number]): Shares =>
  total({
    form: 'arithmetic',
    shares: { own: own.subarray(first, end), next: next.subarray(first, end) },
  });

/**
 * Members of each selection in each slot, where members are rows that were neither sorted nor joined (11.12): one B2A for each
 * set of filters, and sums over the owners' rows, which are public.
 * @param selections without negations, as `selectionsOf` makes them where rows are counted.
 * @returns for each selection one value per slot, in Z_2^32.
 */
export function* memberTotals(
  party: Party,
  { rows, slots, filters, owners }: Brought,
  selections: readonly Selection[],
): Protocol<Shares[]> {
  const filtersOf = ({ with: flags }: Selection): number[] =>
    flags.filter((flag) => flag < filters.length);
  const sets = new Map(selections.map((each) => [filtersOf(each).join(), filtersOf(each)]));
  const names = [...sets.keys()];
  const chosen = yield* all(
    party,
    [...sets.values()].flatMap((set) =>
      slots.map((slot) => [slot, ...set.map((filter) => filters[filter])]),
    ),
  );
  const words = yield* toArithmetic(party, chosen, rows);
  const rangeOf = ({ with: flags }: Selection): [number, number] => {
    const owner = flags.find((flag) => flag >= filters.length);
    if (owner === undefined) return [0, rows];
    const first = owners.slice(0, owner - filters.length).reduce((sum, count) => sum + count, 0);
    return [first, first + owners[owner - filters.length]];
  };
  return selections.map((selection) => {
    const at = names.indexOf(filtersOf(selection).join()) * slots.length;
    const range = rangeOf(selection);
    return join(slots.map((_, slot) => sumOf(words[at + slot], range)));
  });
}
