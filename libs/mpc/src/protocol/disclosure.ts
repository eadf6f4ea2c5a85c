import { all } from './compare.js';
import type { Protocol } from './link.js';
import type { Party } from './party.js';
import type { Plane, Shares } from './shares.js';

/** What is asked of a group and of its filtered aggregates before they are shown (jobs.md 11.12). */
export interface Rules {
  /** Members may be added and subtracted where they are rows; units of several rows may not. */
  counted: 'rows' | 'unit';
  /** k. */
  minGroupSize: number;
  minOwners: number;
  /** 1 to 100; 100: off. */
  maxSharePercent: number;
  residual: boolean;
  /** Different FILTER conditions. */
  filters: number;
  /** Owners of each table; a table with one owner has no owner flags. */
  owners: readonly number[];
}

/**
 * Rows in which some flags are 1 and others are 0. Flags are numbered: the filters, then the owners of each table that has more
 * than one.
 */
export interface Selection {
  readonly with: readonly number[];
  readonly without: readonly number[];
}

/** The selections of which members are counted along the rows, all rows first. */
export const selectionsOf = (rules: Rules): Selection[] => {
  throw new Error(`to come: ${rules.counted}`);
};

/** What is shown of each slot. */
export interface Disclosed {
  group: Plane;
  /** For each filter whether its aggregates are shown. */
  filters: Plane[];
}

/**
 * The bits of 11.12 for each slot.
 * @param counts members of each selection of `selectionsOf`, in Z_2^32.
 * @param rows rows of the tables, which bound every count.
 */
export function* disclosed(
  party: Party,
  rules: Rules,
  counts: readonly Shares[],
  rows: number,
): Protocol<Disclosed> {
  yield* all(party, []);
  throw new Error(`to come: ${rules.counted} ${counts.length} ${rows}`);
}
