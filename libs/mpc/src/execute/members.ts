import { selectionsOf } from '../protocol/disclosure.js';
import type { Frame } from '../protocol/groups.js';
import { together, type Protocol } from '../protocol/link.js';
import { memberTotals, memberWords, ownerFlags } from '../protocol/members.js';
import type { Party } from '../protocol/party.js';
import type { Plane, Shares } from '../protocol/shares.js';
import { pieces } from './arrange.js';
import type { Wanted } from './reduction.js';

/** Bits that go with the rows where members are counted: the filters, then the owner of each row, bit by bit. */
export const flagsOf = ({ filters, owners }: Pick<Wanted, 'filters' | 'owners'>): Plane[] => [
  ...filters,
  ...owners.flatMap(({ index }) => index.planes),
];

/** Most owners whose members are counted one by one in a sort (jobs.md 11.12). */
const MOST_OWNERS = 16;

/** Whether owners are too many for that, and only their number and the largest are asked for. */
export const hasManyOwners = ({ rules, owners, filters }: Wanted): boolean =>
  owners.length === 1 &&
  owners[0].count > MOST_OWNERS &&
  rules.counted === 'rows' &&
  rules.maxSharePercent === 100 &&
  filters.length === 0;

/** Whether members are rows that lie as their owners brought them. */
export const areInPlace = ({ rules, owners }: Wanted): boolean =>
  rules.counted === 'rows' && owners.every((table) => table.rows);

/** Members of each selection in slots of rows that lie as their owners brought them. */
export function membersInPlace(
  party: Party,
  slots: readonly Plane[],
  { rows, filters, owners, rules }: Wanted,
): Protocol<Shares[]> {
  const brought = owners.flatMap((table) => table.rows ?? []);
  const given = { rows: rows.count, slots, filters, owners: brought };
  return memberTotals(party, given, selectionsOf(rules));
}

/** Rows as they lie, or sorted by unit. */
export interface MemberRows {
  count: number;
  valid: Plane;
  /** `flagsOf` the rows. */
  flags: readonly Plane[];
  /** Of units within groups, where they are counted. */
  units?: Frame;
}

/** Words 0 and 1 of each row whose sums are the members of each selection (11.12). */
export function* membersOf(
  party: Party,
  { count, valid, flags, units }: MemberRows,
  { filters, owners, rules }: Wanted,
): Protocol<Shares[]> {
  const widths = owners.map(({ index }) => index.planes.length);
  const indexes = [...pieces(flags.slice(filters.length), widths)];
  const own = yield* together(
    ...indexes.map((planes, table) =>
      ownerFlags(party, { rows: count, planes }, owners[table].count),
    ),
  );
  const all = [...flags.slice(0, filters.length), ...own.flat()];
  return yield* memberWords(party, { rows: count, valid, flags: all, units }, selectionsOf(rules));
}
