import type { Kind } from '../schema/types.js';

/** Arithmetic that is done on opened components (jobs.md 7.3), in exact rationals. */
export type OpeningExpression =
  | { op: 'component'; aggregate: number }
  /** digits / 10^scale; the digits are a decimal integer as text, so that JSON holds them exactly. */
  | { op: 'number'; digits: string; scale: number }
  | {
      op: 'add' | 'subtract' | 'multiply' | 'divide';
      left: OpeningExpression;
      right: OpeningExpression;
    }
  | { op: 'negate'; operand: OpeningExpression }
  | {
      op: 'variance';
      sum: number;
      squares: number;
      count: number;
      sample: boolean;
      root: boolean;
    };

/** How the words of a column of the result files are added up and read. */
export interface StoredForm {
  form: 'arithmetic' | 'boolean';
  /** 64: the file has `#hi` columns beside it. */
  bits: 32 | 64;
  /** The file has `[#V:<column>]`: 0 means that the cell is held back. */
  validity?: boolean;
}

export interface ShownType {
  kind: Exclude<Kind, 'hash'>;
  /** Digits behind the point; the opened integer is divided by 10^scale. */
  scale: number;
  /** Texts of CATEGORY and dictionary indexes, in index order. */
  labels?: readonly string[];
}

/** A column that the parties export as it is shown. */
export interface StoredColumn extends StoredForm {
  name: string;
  type: ShownType;
}

/** A component of an item that is computed at opening. */
export interface Component extends StoredForm {
  /** Number by which the expression names it. */
  aggregate: number;
  /** Its column in the file: `<item>#c1`, or the name of an output that shows the same aggregate. */
  column: string;
  scale: number;
}

/** A column that is computed when the result is opened. */
export interface OpeningColumn {
  name: string;
  type: ShownType;
  opening: OpeningExpression;
  components: Component[];
}

/** A column of a result, as `columns` of `GET /jobs/{id}/results` shows it. */
export type ResultColumn = StoredColumn | OpeningColumn;
