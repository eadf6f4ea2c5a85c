import { toArithmetic } from '../protocol/arithmetic.js';
import { globalExtreme, globalSum } from '../protocol/globals.js';
import { together, type Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { publicPlane, type Bits, type Shares } from '../protocol/shares.js';
import { total } from '../protocol/sums.js';
import { arrange } from './arrange.js';
import { areInPlace, flagsOf, membersInPlace, membersOf } from './members.js';
import type { Reduced, Wanted } from './reduction.js';
import { publicWords } from './rows.js';

const totals = (words: readonly Shares[]): Shares[] =>
  words.map((shares) => total({ form: 'arithmetic', shares }));

/** Live rows, and those in which each filter holds. */
function* counts(party: Party, { rows, filters }: Wanted): Protocol<Shares[]> {
  const { count, valid } = rows;
  const found = totals(yield* toArithmetic(party, [...(valid ? [valid] : []), ...filters], count));
  return valid ? found : [publicWords(party, 1, BigInt(count), 32).shares, ...found];
}

/** Members of each selection; units are told apart by a sort. */
function* members(party: Party, wanted: Wanted): Protocol<Shares[]> {
  const { rows, unit } = wanted;
  const flags = flagsOf(wanted);
  const valid = rows.valid ?? publicPlane(party, rows.count, true);
  if (areInPlace(wanted)) return yield* membersInPlace(party, [valid], wanted);
  if (!unit) return totals(yield* membersOf(party, { count: rows.count, valid, flags }, wanted));
  const plain = { rows, keys: [], second: unit, flags, values: [], words: [] };
  const sorted = yield* arrange(party, plain);
  return totals(yield* membersOf(party, { ...sorted, units: sorted.parts }, wanted));
}

/** Different values of a column in live rows. */
function* distinct(party: Party, rows: Wanted['rows'], column: Bits): Protocol<Shares> {
  const plain = { rows, keys: [], second: [column], flags: [], values: [], words: [] };
  const { parts } = yield* arrange(party, plain);
  const [ones] = yield* toArithmetic(party, [parts.last], rows.count);
  return total({ form: 'arithmetic', shares: ones });
}

/** Aggregates of all rows as one group (jobs.md 11.5, global aggregates): sums are local, extremes a tournament. */
export function* reduceWhole(party: Party, wanted: Wanted): Protocol<Reduced> {
  const { rows, filters, sums, extremes } = wanted;
  const where = (filter?: number): Wanted['rows']['valid'] =>
    filter === undefined ? rows.valid : filters[filter];
  const [[count, ...filtered], summed, found, values, memberCounts] = yield* together(
    counts(party, wanted),
    together(...sums.map(({ words, filter }) => globalSum(party, words, where(filter)))),
    together(
      ...extremes.map(({ values, filter, ...extreme }) =>
        globalExtreme(party, values, extreme, where(filter)),
      ),
    ),
    together(...wanted.distinct.map((column) => distinct(party, rows, column))),
    members(party, wanted),
  );
  return {
    slots: 1,
    valid: publicPlane(party, 1, true),
    keys: [],
    count,
    filtered,
    sums: summed,
    extremes: found,
    distinct: values,
    members: memberCounts,
  };
}
