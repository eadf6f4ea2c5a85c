import { biased } from '../protocol/compare.js';
import type { Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { not, type Bits, type Plane } from '../protocol/shares.js';
import { shuffle, type Column } from '../protocol/shuffle.js';
import { sort, type KeyBit } from '../protocol/sort.js';
import { firstRows } from './columns.js';
import { bitsOfColumns, columnsOfBits } from './rows.js';

/** Result slots on their way out. */
export interface Shown {
  count: number;
  valid: Plane;
  columns: Column[];
}

export interface OrderKey {
  bits: Bits;
  signed: boolean;
  descending: boolean;
}

/** Planes whose order as unsigned numbers is the one that is wanted. */
const planesOf = (party: Party, { bits, signed, descending }: OrderKey): Plane[] => {
  const { planes } = signed ? biased(party, bits) : bits;
  return descending ? planes.map((plane) => not(party, plane)) : [...planes];
};

const bitAt = (index: number): KeyBit => ({ column: index >>> 5, bit: index & 31, flipped: false });

/**
 * ORDER BY and LIMIT (jobs.md 11.5): slots are shuffled before, so that ties and cuts tell nothing of owners and files; dead ones
 * come last.
 * @param keys the first one decides first; none where there is a limit alone.
 */
export function* ordered(
  party: Party,
  { count, valid, columns }: Shown,
  keys: readonly OrderKey[],
  limit = count,
): Protocol<Shown> {
  const dead = not(party, valid);
  const planes = [...keys.toReversed().flatMap((key) => planesOf(party, key)), dead];
  const packed = columnsOfBits({ rows: count, planes });
  const mixed = yield* shuffle(party, [...packed, ...columns]);
  const sorted = yield* sort(
    party,
    mixed,
    planes.map((_plane, index) => bitAt(index)),
  );
  const kept = Math.min(count, limit);
  const first = sorted.map((column) => firstRows(column, kept));
  const bits = bitsOfColumns(first.slice(0, packed.length), kept);
  return {
    count: kept,
    valid: not(party, bits.planes[planes.length - 1]),
    columns: first.slice(packed.length),
  };
}
