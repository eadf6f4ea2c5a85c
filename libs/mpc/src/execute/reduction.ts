import type { Rules } from '../protocol/disclosure.js';
import type { OwnerCounts } from '../protocol/many-owners.js';
import type { Extreme } from '../protocol/runs.js';
import type { Bits, Plane, Shares } from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import type { Owners, Rows } from './rows.js';

/** A sum over the rows in which a filter holds, or over all live ones. */
export interface WantedSum {
  words: Column;
  /** Position in `filters`. */
  filter?: number;
}

export interface WantedExtreme extends Extreme {
  values: Bits;
  filter?: number;
}

/** What is asked of the rows of each group. */
export interface Wanted {
  rows: Pick<Rows, 'count' | 'valid'>;
  owners: readonly Owners[];
  /** Where each filter holds, live rows only. */
  filters: readonly Plane[];
  sums: readonly WantedSum[];
  extremes: readonly WantedExtreme[];
  /** Columns whose different values are counted. */
  distinct: readonly Bits[];
  /** What identifies a member; absent where rows are counted. */
  unit?: readonly Bits[];
  rules: Rules;
}

/** Answers, one value for each slot; in slots that are not valid they are of no meaning. */
export interface Reduced {
  slots: number;
  valid: Plane;
  /** In the order of the columns of GROUP BY. */
  keys: Bits[];
  /** Live rows, in Z_2^32. */
  count: Shares;
  /** Rows in which each filter holds, in Z_2^32. */
  filtered: Shares[];
  /** In Z_2^64. */
  sums: Shares[];
  extremes: Bits[];
  /** In Z_2^32. */
  distinct: Shares[];
  /** Members of each selection of `selectionsOf(rules)`, in Z_2^32. */
  members: Shares[];
  /** In place of `members`, where owners are too many to be counted one by one (11.12). */
  owners?: OwnerCounts;
}
