import { frame, type Frame } from '../protocol/groups.js';
import { together, type Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { publicPlane, type Bits, type Plane } from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import { sort, type KeyBit } from '../protocol/sort.js';
import { bitsOfColumns, columnsOfBits, type Rows } from './rows.js';

/** Rows as they are to be sorted, and what goes with them. */
export interface Arrangement {
  rows: Pick<Rows, 'count' | 'valid'>;
  /** Columns of the group, of which there may be none; the order among groups is of no meaning. */
  keys: readonly Bits[];
  /** What is told apart within a group: a unit, or a column whose values are counted. */
  second: readonly Bits[];
  flags: readonly Plane[];
  values: readonly Bits[];
  words: readonly Column[];
}

export interface Arranged {
  count: number;
  valid: Plane;
  keys: Plane[];
  flags: Plane[];
  values: Bits[];
  words: Column[];
  /** Of the groups, and of the different values of `second` within them. */
  groups: Frame;
  parts: Frame;
}

/** Cuts a list into pieces of these lengths. */
export function* pieces<T>(list: readonly T[], lengths: readonly number[]): Generator<T[]> {
  let at = 0;
  for (const length of lengths) yield list.slice(at, (at += length));
}

const planesOf = (values: readonly Bits[]): Plane[] => values.flatMap(({ planes }) => planes);

/** Bit i of the packed bits stands in column ⌊i / 32⌋. */
const bitAt = (index: number, flipped = false): KeyBit => ({
  column: index >>> 5,
  bit: index & 31,
  flipped,
});

/**
 * Rows sorted by (V descending, keys, second), which is how groups, units and values of a group come to stand side by side
 * (11.5, 11.12). All bits of a row share words, so that few of them move.
 */
export function* arrange(party: Party, wanted: Arrangement): Protocol<Arranged> {
  const { rows, keys, second, flags, values, words } = wanted;
  const { count } = rows;
  const live = rows.valid ?? publicPlane(party, count, true);
  const [parts, groups] = [planesOf(second), planesOf(keys)];
  const packed = [...parts, ...groups, live, ...flags, ...planesOf(values)];
  const columns = columnsOfBits({ rows: count, planes: packed });
  const top = parts.length + groups.length;
  const key = [
    ...Array.from({ length: top }, (_, index) => bitAt(index)),
    ...(rows.valid ? [bitAt(top, true)] : []),
  ];
  const sorted = yield* sort(party, [...columns, ...words], key);
  const { planes } = bitsOfColumns(sorted.slice(0, columns.length), count);
  const widths = [parts.length, groups.length, 1, flags.length];
  const [part, group, [valid], flagged] = pieces(planes, widths);
  const rest = planes.slice(top + 1 + flags.length);
  const [byGroup, byPart] = yield* together(
    frame(party, group, valid, count),
    frame(party, [...group, ...part], valid, count),
  );
  return {
    count,
    valid,
    keys: group,
    flags: flagged,
    values: Array.from(
      pieces(
        rest,
        values.map((value) => value.planes.length),
      ),
      (own) => ({ rows: count, planes: own }),
    ),
    words: sorted.slice(columns.length),
    groups: byGroup,
    parts: byPart,
  };
}
