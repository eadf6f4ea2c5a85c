import { lift, toArithmetic } from '../protocol/arithmetic.js';
import { biased } from '../protocol/compare.js';
import { collect, type Grouped } from '../protocol/groups.js';
import { together, type Protocol } from '../protocol/link.js';
import { ownerRuns } from '../protocol/many-owners.js';
import type { Party } from '../protocol/party.js';
import { and, multiply } from '../protocol/products.js';
import { runExtreme } from '../protocol/runs.js';
import { not, type Bits, type Plane, type Shares } from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import { flattened } from '../protocol/wide.js';
import { multiplyWide, toWideBit } from '../protocol/wide-products.js';
import { arrange, pieces, type Arranged } from './arrange.js';
import { firstBits, firstRows, isWide } from './columns.js';
import { flagsOf, hasManyOwners, membersOf } from './members.js';
import type { Reduced, Wanted, WantedExtreme } from './reduction.js';
import { bitsOfColumns, columnsOfBits } from './rows.js';

const arithmetic = (shares: Shares): Column => ({ form: 'arithmetic', shares });

/** Filter bits as words, each ring only where a column of it needs them. */
interface Ones {
  words: Shares[];
  wide: (Shares | undefined)[];
}

function* none(): Protocol<undefined> {}

function* onesOf(party: Party, filters: readonly Plane[], wanted: Wanted): Protocol<Ones> {
  const { count } = wanted.rows;
  const inWide = (index: number): boolean =>
    wanted.sums.some(({ words, filter }) => filter === index && isWide(words));
  const [words, wide] = yield* together(
    toArithmetic(party, filters, count),
    together(
      ...filters.map((plane, index) => (inWide(index) ? toWideBit(party, plane, count) : none())),
    ),
  );
  return { words, wide };
}

/** The summed value of each row in Z_2^64, zero where the filter does not hold (11.5, FILTER). */
function* summand(party: Party, column: Column, ones?: Shares): Protocol<Column> {
  if (isWide(column)) {
    const shares = ones ? yield* multiplyWide(party, column.shares, ones) : column.shares;
    return { form: 'wide', shares };
  }
  const words = ones ? yield* multiply(party, column.shares, ones) : column.shares;
  return { form: 'wide', shares: flattened(yield* lift(party, words)) };
}

function* summands(party: Party, sorted: Arranged, wanted: Wanted): Protocol<Column[]> {
  const ones = yield* onesOf(party, sorted.flags.slice(0, wanted.filters.length), wanted);
  const sums = yield* together(
    ...wanted.sums.map(({ filter }, index) => {
      const column = sorted.words[index];
      const bit =
        filter === undefined ? undefined : ones[isWide(column) ? 'wide' : 'words'][filter];
      return summand(party, column, bit);
    }),
  );
  return [...ones.words.map(arithmetic), ...sums];
}

/** Rows in which the filter does not hold get the worst value there is. */
function* candidates(
  party: Party,
  values: Bits,
  { which, signed }: WantedExtreme,
  holds: Plane,
): Protocol<Bits> {
  const { rows, planes } = signed ? biased(party, values) : values;
  const turned = which === 'MIN' ? planes.map((plane) => not(party, plane)) : planes;
  const kept = yield* and(
    party,
    turned,
    turned.map(() => holds),
  );
  const back = which === 'MIN' ? kept.map((plane) => not(party, plane)) : kept;
  return signed ? biased(party, { rows, planes: back }) : { rows, planes: back };
}

function* extreme(
  party: Party,
  sorted: Arranged,
  wanted: WantedExtreme,
  index: number,
): Protocol<Bits> {
  const values = sorted.values[index];
  const bits =
    wanted.filter === undefined
      ? values
      : yield* candidates(party, values, wanted, sorted.flags[wanted.filter]);
  return yield* runExtreme(party, sorted.groups.g, bits, wanted);
}

/** What the disclosure rules are told of each group: words that are summed, and bits of its last row. */
interface Counted {
  words: Column[];
  bits: Bits[];
}

function* members(party: Party, sorted: Arranged, wanted: Wanted): Protocol<Counted> {
  if (hasManyOwners(wanted)) {
    const frames = { groups: sorted.groups, owners: sorted.parts };
    const { ones, largest } = yield* ownerRuns(party, frames, sorted.count);
    return { words: [arithmetic(ones)], bits: [largest] };
  }
  const units = wanted.unit && sorted.parts;
  const words = yield* membersOf(party, { ...sorted, units }, wanted);
  return { words: words.map(arithmetic), bits: [] };
}

interface Main {
  grouped: Grouped;
  /** Of the keys, then of the extremes, then of the largest owners. */
  bits: Bits[];
}

/** What the sort by groups and, where units are counted, by units answers: all but COUNT DISTINCT. */
function* main(party: Party, keys: readonly Bits[], wanted: Wanted): Protocol<Main> {
  const many = hasManyOwners(wanted);
  const sorted = yield* arrange(party, {
    rows: wanted.rows,
    keys,
    second: many ? wanted.owners.map(({ index }) => index) : (wanted.unit ?? []),
    flags: many ? wanted.filters : flagsOf(wanted),
    values: wanted.extremes.map(({ values }) => values),
    words: wanted.sums.map(({ words }) => words),
  });
  const [sums, found, counted] = yield* together(
    summands(party, sorted, wanted),
    together(...wanted.extremes.map((each, index) => extreme(party, sorted, each, index))),
    members(party, sorted, wanted),
  );
  const answers = [...found, ...counted.bits];
  const planes = [...sorted.keys, ...answers.flatMap((bits) => bits.planes)];
  const columns = columnsOfBits({ rows: sorted.count, planes });
  const grouped = yield* collect(party, sorted.groups, columns, [...sums, ...counted.words]);
  const collected = bitsOfColumns(grouped.columns, sorted.count);
  const widths = [...keys, ...answers].map((bits) => bits.planes.length);
  const bits = Array.from(pieces(collected.planes, widths), (own) => ({
    ...collected,
    planes: own,
  }));
  return { grouped, bits };
}

/** Different values of one column per group; groups come in the same order from every sort of the same keys. */
function* distinct(
  party: Party,
  keys: readonly Bits[],
  wanted: Wanted,
  column: Bits,
): Protocol<Shares> {
  const plain = { rows: wanted.rows, keys, second: [column], flags: [], values: [], words: [] };
  const sorted = yield* arrange(party, plain);
  const [ones] = yield* toArithmetic(party, [sorted.parts.last], sorted.count);
  const { sums } = yield* collect(party, sorted.groups, [], [arithmetic(ones)]);
  return sums[0];
}

/**
 * One slot for each group (11.5), the groups first.
 * @param slots how many groups there may be at most; the rest is cut off.
 */
export function* reduceGroups(
  party: Party,
  keys: readonly Bits[],
  wanted: Wanted,
  slots: number,
): Protocol<Reduced> {
  const [{ grouped, bits }, counted] = yield* together(
    main(party, keys, wanted),
    together(...wanted.distinct.map((column) => distinct(party, keys, wanted, column))),
  );
  const { filters, sums, rows } = wanted;
  const answers = grouped.sums.map((shares, index) => {
    const wide = index >= filters.length && index < filters.length + sums.length;
    return firstRows({ form: wide ? 'wide' : 'arithmetic', shares }, slots).shares;
  });
  const [filtered, summed, members] = pieces(answers, [
    filters.length,
    sums.length,
    answers.length,
  ]);
  const first = (shares: Shares): Shares => firstRows(arithmetic(shares), slots).shares;
  const cut = bits.map((each) => firstBits(each, slots));
  return {
    slots,
    valid: firstBits({ rows: rows.count, planes: [grouped.valid] }, slots).planes[0],
    keys: cut.slice(0, keys.length),
    count: first(grouped.count),
    filtered,
    sums: summed,
    extremes: cut.slice(keys.length, keys.length + wanted.extremes.length),
    distinct: counted.map(first),
    ...(hasManyOwners(wanted)
      ? { members: [], owners: { owners: members[0], largest: cut[cut.length - 1] } }
      : { members }),
  };
}
