import { ALL_DAYS, dayOf } from './days.js';
import { INT32, INT64, within, type Range, type ValueType } from './types.js';

/** One column as `create_job` declares it (jobs.md 11.3); a plain string is the unit of an INTEGER. */
export type ColumnDeclaration =
  | string
  | {
      type?: 'INTEGER' | 'BIGINT' | 'DECIMAL' | 'CATEGORY' | 'VARCHAR' | 'DATE';
      unit?: string;
      /** Least and largest value: an integer or a decimal as text; days for DATE. */
      min?: number | string;
      max?: number | string;
      /** DECIMAL: digits behind the point, 0 to 6, default 0. */
      scale?: number;
      /** DECIMAL: 32 (default) or 64. */
      bits?: 32 | 64;
      /** CATEGORY: 2 to 4096 labels. */
      categories?: readonly string[];
      /** VARCHAR: most characters, 1 to 100. */
      length?: number;
      /** VARCHAR: every value there is, at most 65536; without it the text is hashed. */
      dictionary?: readonly string[];
      /** May be the key of the unique side of a join. */
      unique?: boolean;
      /** Identifies the person that a group counts (11.12). */
      privacy_unit?: boolean;
    };

export type TableSchema = Readonly<Record<string, ColumnDeclaration>>;

/** Tables by name, in the order in which they were declared; one table may be named freely in FROM. */
export type Schema = ReadonlyMap<string, TableSchema>;

/** A declaration that breaks the table of 11.3; the caller names the field to whoever sent it. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

export const MAX_SCALE = 6;
const MAX_CATEGORIES = 4096;
const MAX_DICTIONARY = 65_536;

type Declared = Exclude<ColumnDeclaration, string>;

const refuse = (message: string): never => {
  throw new SchemaError(message);
};

/** digits × 10^scale of a decimal text, exact. */
function scaled(bound: number | string, scale: number): bigint {
  const [, sign, whole, fraction = ''] =
    /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(bound)) ?? refuse('a bound is an integer or a decimal');
  if (fraction.length > scale) refuse('a bound has more digits than the column');
  return BigInt(`${sign}${whole}${fraction.padEnd(scale, '0')}`);
}

function bounded({ min, max }: Declared, whole: Range, read: (text: string) => bigint): Range {
  const range = {
    min: min === undefined ? whole.min : read(String(min)),
    max: max === undefined ? whole.max : read(String(max)),
  };
  if (range.min > range.max) refuse('min is above max');
  if (!within(range, whole)) refuse('a bound is outside the type');
  return range;
}

function labelled(labels: readonly string[], least: number, most: number): ValueType {
  if (labels.length < least || labels.length > most) refuse(`there are ${least} to ${most} labels`);
  if (new Set(labels).size !== labels.length) refuse('a label stands twice');
  return { kind: 'label', scale: 0, min: 0n, max: BigInt(labels.length - 1), labels };
}

const codePoints = (text: string): number[] => Array.from(text, (c) => c.codePointAt(0) ?? 0);

/** By code points, which differs from the order of JavaScript beyond the basic plane. */
export function compareText(a: string, b: string): number {
  const [left, right] = [codePoints(a), codePoints(b)];
  const at = left.findIndex((point, i) => point !== right[i]);
  if (at < 0) return left.length - right.length;
  return at >= right.length ? 1 : left[at] - right[at];
}

function varchar({ length = 0, dictionary }: Declared): ValueType {
  if (!Number.isInteger(length) || length < 1 || length > 100) refuse('length is 1 to 100');
  if (dictionary === undefined) return { kind: 'hash', scale: 0, ...INT64 };
  if (dictionary.some((text) => codePoints(text).length > length))
    refuse('a value is longer than length');
  return labelled(dictionary.toSorted(compareText), 1, MAX_DICTIONARY);
}

function decimal(declared: Declared): ValueType {
  const { scale = 0, bits = 32 } = declared;
  if (!Number.isInteger(scale) || scale < 0 || scale > MAX_SCALE)
    refuse(`scale is 0 to ${MAX_SCALE}`);
  if (bits !== 32 && bits !== 64) refuse('bits is 32 or 64');
  const range = bounded(declared, bits === 64 ? INT64 : INT32, (text) => scaled(text, scale));
  return { kind: 'number', scale, ...range };
}

const READERS: Record<NonNullable<Declared['type']>, (declared: Declared) => ValueType> = {
  INTEGER: (declared) => decimal({ ...declared, scale: 0, bits: 32 }),
  BIGINT: (declared) => decimal({ ...declared, scale: 0, bits: 64 }),
  DECIMAL: decimal,
  CATEGORY: ({ categories = [] }) => labelled(categories, 2, MAX_CATEGORIES),
  VARCHAR: varchar,
  DATE: (declared) => ({
    kind: 'date',
    scale: 0,
    ...bounded(declared, ALL_DAYS, (text) => dayOf(text) ?? refuse('a bound is no day')),
  }),
};

/**
 * What a column holds.
 * @throws SchemaError
 */
export function typeOf(declaration: ColumnDeclaration): ValueType {
  const declared: Declared = typeof declaration === 'string' ? {} : declaration;
  return READERS[declared.type ?? 'INTEGER'](declared);
}

/** Width of the words in which an owner shares a column (7.1). */
export function storedBits(declaration: ColumnDeclaration): 32 | 64 {
  if (typeof declaration === 'string') return 32;
  const { type, bits, dictionary } = declaration;
  const hashed = type === 'VARCHAR' && dictionary === undefined;
  return type === 'BIGINT' || hashed || (type === 'DECIMAL' && bits === 64) ? 64 : 32;
}
