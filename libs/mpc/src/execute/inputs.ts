import type { Plan, PlanColumn } from '../compile/plan.js';
import { joinWords, type Shares, type Wide } from '../protocol/shares.js';

/** Shares of one column as the party holds them: slot i (`_0` in a share file) and slot i + 1 (`_1`). */
export interface ColumnInput {
  /** 64-bit columns, and 32-bit ones that came with `#hi` (jobs.md 7.2), are wide. */
  arithmetic?: Shares | Wide;
  boolean?: Shares | Wide;
}

/** One table, the sets of its owners one after another. */
export interface TableInput {
  rows: number;
  /** Rows of each owner in registration sequence, which is that of the rows; 0 for an owner without rows. */
  owners: readonly number[];
  columns: ReadonlyMap<string, ColumnInput>;
}

/** What a party has to compute with. */
export interface Inputs {
  /** In the order of `plan.tables`. */
  tables: readonly TableInput[];
  /** For each text of the plan's `hashed` predicates the signed 64 bits that owners have in its place (7.2). */
  hashes?: ReadonlyMap<string, bigint>;
}

/** One upload set as it was read: slots by the names of its header, `Age_0`, `[Age#hi]_1` and so on. */
export interface InputSet {
  /** Position of the owner in registration sequence, from 0. */
  owner: number;
  rows: number;
  columns: ReadonlyMap<string, Int32Array>;
}

type Reader = (name: string) => Shares | undefined;

/** Reads one block of every set; undefined unless all of them have it. */
const blocks =
  (sets: readonly InputSet[]): Reader =>
  (name) => {
    const slots = ['_0', '_1'].map((slot) =>
      sets.flatMap(({ columns }) => columns.get(name + slot) ?? []),
    );
    if (slots.some((parts) => parts.length < sets.length)) return undefined;
    return { own: joinWords(slots[0]), next: joinWords(slots[1]) };
  };

const paired = (low?: Shares, high?: Shares): Shares | Wide | undefined =>
  low && high ? { low, high } : low;

function columnInput({ name, type, boolean, arithmetic }: PlanColumn, read: Reader): ColumnInput {
  const low = type.kind === 'hash' ? `[${name}#lo]` : `[${name}]`;
  return {
    arithmetic: arithmetic ? paired(read(name), read(`${name}#hi`)) : undefined,
    boolean: boolean ? paired(read(low), read(`[${name}#hi]`)) : undefined,
  };
}

/**
 * Lays the upload sets of one table one after another (jobs.md 8), in the forms that the plan loads.
 * @param table position in `plan.tables`.
 * @param sets in registration sequence of their owners; of a 32-bit column the `#hi` blocks count if all sets have them.
 * @param owners how many are registered for the table, with or without rows.
 */
export function tableInput(
  plan: Plan,
  table: number,
  sets: readonly InputSet[],
  owners: number,
): TableInput {
  const counts = Array.from({ length: owners }, () => 0);
  for (const { owner, rows } of sets) counts[owner] += rows;
  const read = blocks(sets);
  const columns = plan.columns.filter((column) => column.table === table);
  return {
    rows: counts.reduce((sum, rows) => sum + rows, 0),
    owners: counts,
    columns: new Map(columns.map((column) => [column.name, columnInput(column, read)])),
  };
}

/** Row counts that parties compare in their hello (11.10): for each table those of its owners. */
export const rowsOfHello = ({ tables }: Inputs): number[][] =>
  tables.map(({ owners }) => [...owners]);
