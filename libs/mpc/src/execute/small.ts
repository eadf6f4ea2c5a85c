import type { Plan } from '../compile/plan.js';
import { lift } from '../protocol/arithmetic.js';
import { combinations, product, type FiniteKey } from '../protocol/combinations.js';
import { selectionsOf } from '../protocol/disclosure.js';
import { together, type Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { and } from '../protocol/products.js';
import {
  planeWords,
  publicPlane,
  trivial,
  type Bits,
  type Plane,
  type Shares,
} from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import { sortCost, sortForm, timeOf } from '../protocol/sort.js';
import { flattened } from '../protocol/wide.js';
import { dotWide, toWideBit } from '../protocol/wide-products.js';
import { pieces } from './arrange.js';
import { isWide } from './columns.js';
import { areInPlace, flagsOf, membersInPlace } from './members.js';
import type { Reduced, Wanted } from './reduction.js';

/** Most combinations of key values that are looked at one by one (jobs.md 11.5). */
const MOST_COMBINATIONS = 256n;

/** Values of the keys, if there are few combinations of them, and not more than rows. */
export function finiteKeys(
  { keys, columns }: Plan,
  bits: readonly Bits[],
  rows: number,
): FiniteKey[] | undefined {
  const types = keys.map((key) => columns[key].type);
  const sizes = types.map(({ min, max }) => max - min + 1n);
  const combined = sizes.reduce((all, size) => all * size, 1n);
  if (combined > MOST_COMBINATIONS || combined > BigInt(rows)) return undefined;
  return types.map(({ min }, index) => ({
    bits: bits[index],
    values: Array.from({ length: Number(sizes[index]) }, (_, offset) => min + BigInt(offset)),
  }));
}

const filtersOf = ({ sums }: Wanted): (number | undefined)[] => [
  ...new Set(sums.map(({ filter }) => filter)),
];

/**
 * Whether one slot for each combination takes less time than a sort, and answers all that is wanted: counts and sums over rows
 * that lie as they were brought.
 */
export function staysSmall(keys: readonly FiniteKey[], wanted: Wanted): boolean {
  const { rows, sums, extremes, distinct, rules } = wanted;
  if (!areInPlace(wanted) || extremes.length > 0 || distinct.length > 0) return false;
  const slots = keys.reduce((all, { values }) => all * values.length, 1);
  const bits = keys.reduce((sum, key) => sum + key.bits.planes.length, 0);
  const selections = selectionsOf(rules).length;
  // Filters alone, and the pairs of them that are compared.
  const sets = 1 + (rules.filters * (rules.filters + 1)) / 2;
  const small = {
    rounds: sums.length > 0 ? 10 : 3 + Math.ceil(Math.log2(bits + 1)),
    words: slots * (bits / 32 + 2 * sets + 4 * filtersOf(wanted).length),
  };
  const moved = sums.reduce((sum, { words }) => sum + (isWide(words) ? 2 : 1), 0);
  const packed = Math.ceil((bits + 1 + flagsOf(wanted).length) / 32);
  const size = { bits: bits + 1, keyWords: packed, words: packed + moved };
  const sorted = sortCost(size, sortForm(size, rows.count));
  const grouped = {
    rounds: sorted.rounds + 13,
    words: sorted.words + 7 + 2 * packed + 4 * sums.length + 4 * selections,
  };
  return timeOf(small, rows.count) < timeOf(grouped, rows.count);
}

/** A public value for each slot. */
function publicValues(party: Party, values: readonly bigint[], width: number): Bits {
  const rows = values.length;
  const planes = Array.from({ length: width }, (_, j) => {
    const plane = new Int32Array(planeWords(rows));
    values.forEach((value, i) => {
      plane[i >>> 5] |= Number((value >> BigInt(j)) & 1n) << (i & 31);
    });
    return trivial(party, 0, plane, plane.length);
  });
  return { rows, planes };
}

function* lifted(party: Party, column: Column): Protocol<Shares> {
  return isWide(column) ? column.shares : flattened(yield* lift(party, column.shares));
}

/** Sums of each slot (11.5): values in Z_2^64 times the bits of the slot, one dot product each. */
function* summed(
  party: Party,
  slots: (filter?: number) => readonly Plane[],
  wanted: Wanted,
): Protocol<Shares[]> {
  const { rows, sums } = wanted;
  const filters = filtersOf(wanted);
  const [values, bits] = yield* together(
    together(...sums.map(({ words }) => lifted(party, words))),
    together(
      ...filters.map((filter) =>
        together(...slots(filter).map((plane) => toWideBit(party, plane, rows.count))),
      ),
    ),
  );
  const dots = yield* together(
    ...sums.map(({ filter }, index) =>
      dotWide(
        party,
        bits[filters.indexOf(filter)].map((bit) => [bit, values[index]] as const),
      ),
    ),
  );
  return dots;
}

/** The rows of each slot in which each filter holds. */
function* withFilters(
  party: Party,
  slots: readonly Plane[],
  filters: readonly Plane[],
): Protocol<Plane[][]> {
  const held = yield* and(
    party,
    filters.flatMap(() => slots),
    filters.flatMap((filter) => slots.map(() => filter)),
  );
  return [
    ...pieces(
      held,
      filters.map(() => slots.length),
    ),
  ];
}

/** One slot for each combination of key values (jobs.md 11.5, small key space): no sort, all slots valid. */
export function* reduceSmall(
  party: Party,
  keys: readonly FiniteKey[],
  wanted: Wanted,
): Protocol<Reduced> {
  const { rows, filters, rules } = wanted;
  const selections = selectionsOf(rules);
  const valid = rows.valid ?? publicPlane(party, rows.count, true);
  const slots = yield* combinations(party, keys, valid);
  const held = yield* withFilters(party, slots, filters);
  const inSlots = (filter?: number): readonly Plane[] =>
    filter === undefined ? slots : held[filter];
  const [sums, members] = yield* together(
    summed(party, inSlots, wanted),
    membersInPlace(party, slots, wanted),
  );
  const membersWith = (...flags: number[]): Shares =>
    members[selections.findIndex((each) => each.with.join() === flags.join())];
  const values = product(keys.map((key) => key.values));
  return {
    slots: slots.length,
    valid: publicPlane(party, slots.length, true),
    keys: keys.map(({ bits }, k) =>
      publicValues(
        party,
        values.map((row) => row[k]),
        bits.planes.length,
      ),
    ),
    count: membersWith(),
    filtered: filters.map((_, filter) => membersWith(filter)),
    sums,
    extremes: [],
    distinct: [],
    members,
  };
}
