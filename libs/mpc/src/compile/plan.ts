import type { OpeningExpression, ValueType } from '@glacis/shares';
import type { Predicate } from './conditions.js';
import type { Value } from './values.js';

/** A column of the tables of the query, in the order of the schema; Value nodes name it by its position here. */
export interface PlanColumn {
  /** 0 for the table after FROM, 1 for the joined one. */
  table: number;
  name: string;
  type: ValueType;
  storedBits: 32 | 64;
  /** Which forms of its shares are loaded (jobs.md 7.1). */
  boolean: boolean;
  arithmetic: boolean;
  /** 32-bit shares that are added up in 64 bits: a file with `#hi` columns saves their lift (7.2). */
  wide: boolean;
}

export interface PlanJoin {
  /** Table of the declared unique key. */
  unique: 0 | 1;
  /** Columns of the unique and of the other side that are to be equal. */
  keys: { unique: number; other: number; width: number; signed: boolean }[];
}

export interface PlanAggregate {
  function: 'COUNT' | 'COUNT_DISTINCT' | 'SUM' | 'AVG' | 'MIN' | 'MAX';
  /** Absent for COUNT. */
  argument?: Value;
  /** Index in `filters`. */
  filter?: number;
  type: ValueType;
}

export type OutputSource =
  /** A value of a single row. */
  | { op: 'column'; column: number }
  | { op: 'key'; key: number }
  | { op: 'aggregate'; aggregate: number }
  | { op: 'opening'; expression: OpeningExpression; components: number[] };

export interface PlanOutput {
  /** Unique among the outputs. */
  name: string;
  source: OutputSource;
  type: Pick<ValueType, 'kind' | 'scale'>;
}

/** Disclosure rules (11.12) and raw rows, as register returns them (8.1). */
export interface PlanLimits {
  counted: 'rows' | 'unit';
  max_aggregates: number;
  max_degree: number;
  max_share_percent: number;
  min_group_size: number;
  min_owners: number;
  raw_rows: 'none' | 'consent' | 'allow';
  residual: boolean;
}

/** What the parties compute, the same bytes wherever one text is compiled against one schema. */
export interface Plan {
  version: 1;
  tables: string[];
  columns: PlanColumn[];
  join?: PlanJoin;
  where?: Predicate;
  /** `rows`: raw rows; `groups`: one slot per group; `global`: one slot. */
  shape: 'rows' | 'groups' | 'global';
  /** Columns of GROUP BY or DISTINCT. */
  keys: number[];
  /** Conditions of filtered aggregates, each once. */
  filters: Predicate[];
  aggregates: PlanAggregate[];
  /** Keys and aggregates in it by their position. */
  having?: Predicate;
  outputs: PlanOutput[];
  order: { output: number; descending: boolean }[];
  limit?: number;
  /** Column that identifies a member where units are counted; absent: a row, or the join key. */
  unit?: number;
  limits: PlanLimits;
  /** Decimals of AVG and of opening-time division, at least. */
  avg_scale: number;
  max_rows: number;
}
