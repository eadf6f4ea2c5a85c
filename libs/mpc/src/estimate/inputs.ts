import { INT32, INT64, within } from '@glacis/shares';
import type { Plan, PlanColumn, PlanJoin } from '../compile/plan.js';
import { widthOf } from '../compile/types.js';
import type { Rules } from '../protocol/disclosure.js';
import {
  columnsFor,
  and,
  anyRow,
  beside,
  between,
  carry,
  equal,
  NOTHING,
  onePass,
  series,
  sort,
  sum,
  toBits,
  type Cost,
} from './cost.js';
import type { Ground, LeafForms } from './expressions.js';
import { ownerBits } from './rules.js';

/** Whether values are within any declaration, whatever their words are. */
const isWhole = ({ type, storedBits }: PlanColumn): boolean =>
  type.kind === 'hash' || within(storedBits === 64 ? INT64 : INT32, type);

function columnChecks(column: PlanColumn, rows: number): Cost {
  const { boolean, arithmetic, storedBits } = column;
  const made = toBits(storedBits, rows);
  return beside(
    boolean && arithmetic ? series(made, equal(storedBits, rows)) : NOTHING,
    isWhole(column) ? NOTHING : series(boolean ? NOTHING : made, between(storedBits, rows)),
  );
}

/** Stage D of all tables. */
export function checks(plan: Plan, rows: readonly number[]): Cost {
  const used = plan.columns.filter(({ boolean, arithmetic }) => boolean || arithmetic);
  const found = beside(...used.map((column) => columnChecks(column, rows[column.table])));
  return found.rounds > 0 ? series(found, anyRow(Math.max(...rows))) : NOTHING;
}

const bitsIn = (columns: readonly PlanColumn[]): number =>
  sum(columns.map(({ boolean, type }) => (boolean ? widthOf(type) : 0)));

export function joinCost(plan: Plan, join: PlanJoin, rows: readonly number[], rules: Rules): Cost {
  const all = sum(rows);
  const key = sum(join.keys.map(({ width }) => width));
  const side = (table: number): PlanColumn[] =>
    plan.columns.filter((column) => column.table === table);
  const other = side(1 - join.unique);
  const arithmetic = sum(other.map((column) => (column.arithmetic ? column.storedBits / 32 : 0)));
  const payload = bitsIn(side(join.unique)) + ownerBits(rules);
  const carried = columnsFor(bitsIn(other) + ownerBits(rules)) + arithmetic;
  const columns = 2 + columnsFor(key) + columnsFor(payload) + carried;
  return series(
    sort(1 + key, 1 + columnsFor(key), columns, all),
    equal(key, all),
    and(2, all),
    beside(anyRow(all), carry(payload, all)),
    and(2, all),
    and(1, all),
    onePass(1 + columnsFor(payload) + carried, all),
  );
}

/** Forms of the columns when they are computed with: of a unique side only bits have come through the join. */
export const rowGround = (plan: Plan, rows: number): Ground => ({
  rows,
  leaf: (source): LeafForms => {
    if (source.op !== 'column') return { bits: false };
    const { boolean, arithmetic, storedBits } = plan.columns[source.column];
    return { bits: boolean, words: arithmetic ? storedBits : undefined };
  },
});
