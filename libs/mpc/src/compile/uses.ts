import type { AggregateFunction } from '../sql/syntax.js';
import type { ScopeColumn } from './scope.js';

/** What a policy may allow of a column (jobs.md 8.1). */
export type ColumnUse = 'filter' | 'group' | 'join' | 'output';
export type AggregateUse = AggregateFunction | 'VARIANCE';

/** Uses of one column as a policy names them; aggregates by name, in order. */
export type ColumnUses = Partial<Record<ColumnUse, true>> & { aggregate?: string[] };

/** The least policy of one table that this query wants. */
export interface PolicyNeeded {
  default: 'deny';
  columns: Record<string, ColumnUses>;
  /** MIN or MAX is used. */
  extremes?: true;
}

/** What the query does with each column. */
export class Uses {
  private readonly marks = new Map<number, Set<ColumnUse>>();
  private readonly aggregates = new Map<number, Set<AggregateUse>>();

  mark(column: number, use: ColumnUse): void {
    this.marks.set(column, (this.marks.get(column) ?? new Set()).add(use));
  }

  aggregate(column: number, use: AggregateUse): void {
    this.aggregates.set(column, (this.aggregates.get(column) ?? new Set()).add(use));
  }

  /** Policies by table, in the order of the query. */
  policies(tables: string[], columns: readonly ScopeColumn[]): Map<string, PolicyNeeded> {
    return new Map(
      tables.map((table, index) => [
        table,
        this.policy(columns.filter((column) => column.table === index)),
      ]),
    );
  }

  private policy(columns: ScopeColumn[]): PolicyNeeded {
    const policy: PolicyNeeded = { default: 'deny', columns: {} };
    for (const { index, name } of columns) {
      const marks = [...(this.marks.get(index) ?? [])].toSorted();
      const uses: ColumnUses = Object.fromEntries(marks.map((mark) => [mark, true]));
      const aggregate = [...(this.aggregates.get(index) ?? [])].toSorted();
      if (aggregate.length > 0) uses.aggregate = aggregate;
      if (Object.keys(uses).length > 0) policy.columns[name] = uses;
      if (aggregate.includes('MIN') || aggregate.includes('MAX')) policy.extremes = true;
    }
    return policy;
  }
}
