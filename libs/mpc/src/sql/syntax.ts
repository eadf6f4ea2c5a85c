import type { Position } from './refusal.js';

/** A name as written; a quoted one matches exactly, another one ignoring case. */
export interface Name {
  text: string;
  quoted: boolean;
  at: Position;
}

export interface ColumnName {
  kind: 'column';
  table?: Name;
  name: Name;
  at: Position;
}

export type Constant =
  /** digits / 10^scale */
  | { kind: 'number'; digits: bigint; scale: number; at: Position }
  | { kind: 'text'; value: string; at: Position }
  /** The text between the quotes, not yet known to be a day. */
  | { kind: 'date'; value: string; at: Position };

/** COUNT DISTINCT is a function of its own; STDDEV and VARIANCE are read as their sample forms. */
export type AggregateFunction =
  | 'COUNT'
  | 'COUNT_DISTINCT'
  | 'SUM'
  | 'AVG'
  | 'MIN'
  | 'MAX'
  | 'VAR_SAMP'
  | 'VAR_POP'
  | 'STDDEV_SAMP'
  | 'STDDEV_POP';

export interface AggregateCall {
  kind: 'aggregate';
  function: AggregateFunction;
  /** Absent for COUNT(*). */
  argument?: Expression;
  /** FILTER (WHERE …), or the condition of the CASE inside. */
  filter?: Condition;
  at: Position;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/';

export interface Arithmetic {
  kind: 'arithmetic';
  operator: ArithmeticOperator;
  left: Expression;
  right: Expression;
  /** Of the operator. */
  at: Position;
}

export type Expression =
  | ColumnName
  | Constant
  | AggregateCall
  | Arithmetic
  | { kind: 'negate'; operand: Expression; at: Position };

export type Comparison = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { kind: 'and' | 'or'; operands: Condition[]; at: Position }
  | { kind: 'not'; operand: Condition; at: Position }
  | {
      kind: 'compare';
      relation: Comparison;
      left: Expression;
      right: Expression;
      at: Position;
    }
  | {
      kind: 'between';
      operand: Expression;
      low: Constant;
      high: Constant;
      negated: boolean;
      at: Position;
    }
  | { kind: 'in'; operand: Expression; values: Constant[]; negated: boolean; at: Position };

export interface Item {
  expression: Expression;
  alias?: Name;
}

export interface TableName {
  name: Name;
  alias?: Name;
}

export interface Join {
  table: TableName;
  /** Pairs of columns that are to be equal. */
  on: [ColumnName, ColumnName][];
  at: Position;
}

export interface OrderKey {
  /** An output column by name, or by its number from 1. */
  key: ColumnName | { kind: 'ordinal'; ordinal: bigint; at: Position };
  descending: boolean;
}

/** One query, as its text says it: nothing is looked up yet. */
export interface Query {
  distinct: boolean;
  items: Item[] | 'all';
  table: TableName;
  join?: Join;
  where?: Condition;
  groupBy: ColumnName[];
  having?: Condition;
  orderBy: OrderKey[];
  limit?: { count: bigint; at: Position };
  /** Of the select list. */
  at: Position;
}
