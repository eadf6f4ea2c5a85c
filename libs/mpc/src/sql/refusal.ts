/** Why a query is refused (jobs.md 11.2); the codes are wire values. */
export const REFUSAL_CODES = [
  'syntax',
  'statement',
  'unknown_table',
  'unknown_column',
  'ambiguous_column',
  'type_mismatch',
  'literal_range',
  'unknown_label',
  'subquery',
  'cte',
  'set_operation',
  'window',
  'outer_join',
  'self_join',
  'too_many_tables',
  'join_no_unique_key',
  'not_grouped',
  'hash_output',
  'hash_order',
  'order_not_output',
  'opening_only',
  'offset',
  'limit_not_constant',
  'function',
  'division',
  'like',
  'null_test',
  'case_expression',
  'overflow_possible',
  'expression_degree',
  'too_many_aggregates',
  'too_many_filters',
  'extremes_refused',
  'too_complex',
] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Where something stands in the query text. */
export interface Position {
  /** UTF-16 code units before it, from 0. */
  offset: number;
  /** From 1; lines end with LF. */
  line: number;
  /** Code units from the beginning of the line, from 1. */
  column: number;
  /** The token as written; empty at the end of the text. */
  token: string;
}

/** The query is none that the engine runs. The analyst has to change it: the same text fails again. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly at: Position,
  ) {
    super(message);
  }
}
