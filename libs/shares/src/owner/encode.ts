import { dayOf } from '../schema/days.js';
import { typeOf, type ColumnDeclaration } from '../schema/schema.js';
import { within, type ValueType } from '../schema/types.js';

/** A column as 64-bit integers: low and high word of each cell; 32-bit columns are shared by their low words. */
export interface Words {
  low: Int32Array;
  high: Int32Array;
}

/** A table ready to be split: every column of the schema by name. */
export interface EncodedTable {
  rows: number;
  columns: ReadonlyMap<string, Words>;
}

export type CellCode = 'bad_value' | 'out_of_range' | 'unknown_label' | 'too_long';

/** What a cell holds as integer, or why it holds nothing. */
export type Cell = bigint | CellCode;

function decimal(text: string, scale: number): Cell {
  const match = /^([+-]?)(\d{1,20})(?:\.(\d{1,20}))?$/.exec(text);
  if (!match) return 'bad_value';
  const [, sign, whole, fraction = ''] = match;
  if (fraction.length > scale) return 'bad_value';
  return BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction.padEnd(scale, '0')}`);
}

function inRange(cell: Cell, { min, max }: ValueType): Cell {
  if (typeof cell !== 'bigint') return cell;
  return within({ min: cell, max: cell }, { min, max }) ? cell : 'out_of_range';
}

/**
 * Reads the cells of a column as its owner writes them (jobs.md 11.3): numbers in decimal, days as YYYY-MM-DD, labels as
 * they are declared.
 */
export function cellReader(declaration: ColumnDeclaration): (text: string) => Cell {
  const type = typeOf(declaration);
  if (type.kind === 'label') {
    const indexes = new Map(type.labels?.map((label, index) => [label, BigInt(index)]));
    return (text) => indexes.get(text) ?? 'unknown_label';
  }
  if (type.kind === 'date') return (text) => inRange(dayOf(text.trim()) ?? 'bad_value', type);
  return (text) => inRange(decimal(text.trim(), type.scale), type);
}
