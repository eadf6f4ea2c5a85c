import { typeOf, type ColumnDeclaration, type TableSchema } from '../schema/schema.js';
import type { HashText } from '../share/hash.js';
import { CsvError, readRecords } from './csv.js';
import { cellReader, type Cell, type CellCode, type EncodedTable, type Words } from './encode.js';

export type OwnerCode =
  CellCode | 'bad_file' | 'missing_column' | 'column_twice' | 'too_many_rows' | 'not_unique';

/** What is wrong with an owner's file: the place, never the value. */
export interface OwnerFinding {
  code: OwnerCode;
  message: string;
  /** From 1, the header not counted. */
  row?: number;
  column?: string;
}

export interface ReadOptions {
  /** `limits.max_rows` of the job. */
  maxRows: number;
  /** Needed where a column is hash-coded. */
  hash?: HashText;
}

/** Findings beyond this many are left out. */
const MAX_FINDINGS = 100;

const MESSAGES: Record<CellCode, string> = {
  bad_value: 'the cell is no value of its type',
  out_of_range: 'the value is outside the declared range',
  unknown_label: 'the text is none of the declared ones',
  too_long: 'the text is longer than declared',
};

export type OwnerTable = { table: EncodedTable; ignored: string[] } | { findings: OwnerFinding[] };

/**
 * Reads an owner's own CSV, the first line of which names the columns, in any order, and checks every cell against the
 * schema (jobs.md 8): type, range, labels, length, uniqueness of a join key. Columns that the schema lacks are `ignored`.
 * @returns the table, or what is wrong with the file, 100 findings at most
 */
export async function readTable(
  text: string,
  schema: TableSchema,
  options: ReadOptions,
): Promise<OwnerTable> {
  try {
    const [header = [], ...records] = readRecords(text);
    const findings = [...headerFindings(header, schema), ...sizeFindings(records, header, options)];
    if (findings.length > 0) return { findings };
    const columns = new Map<string, Words>();
    for (const [name, declaration] of Object.entries(schema)) {
      const cells = records.map((record) => record[header.indexOf(name)]);
      const column = await readColumn(cells, declaration, options);
      columns.set(name, column.words);
      findings.push(...column.findings.map((finding) => ({ ...finding, column: name })));
    }
    if (findings.length > 0) return { findings: findings.slice(0, MAX_FINDINGS) };
    const ignored = header.filter((name) => !Object.hasOwn(schema, name));
    return { table: { rows: records.length, columns }, ignored };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { findings: [{ code: 'bad_file', message: error.message, row: error.row }] };
  }
}

function headerFindings(header: string[], schema: TableSchema): OwnerFinding[] {
  return Object.keys(schema).flatMap((column): OwnerFinding[] => {
    const times = header.filter((name) => name === column).length;
    if (times === 1) return [];
    const code = times === 0 ? 'missing_column' : 'column_twice';
    return [{ code, column, message: `the file names the column ${times} times` }];
  });
}

function sizeFindings(
  records: string[][],
  header: string[],
  { maxRows }: ReadOptions,
): OwnerFinding[] {
  if (records.length === 0) return [{ code: 'bad_file', message: 'the file has no row' }];
  if (records.length > maxRows)
    return [{ code: 'too_many_rows', message: `there are over ${maxRows} rows` }];
  const broken = records.findIndex((record) => record.length !== header.length);
  if (broken < 0) return [];
  const message = 'a row has another number of cells than the first line';
  return [{ code: 'bad_file', row: broken + 1, message }];
}

interface ReadColumn {
  words: Words;
  findings: OwnerFinding[];
}

async function readColumn(
  cells: string[],
  declaration: ColumnDeclaration,
  { hash }: ReadOptions,
): Promise<ReadColumn> {
  const read =
    typeOf(declaration).kind === 'hash'
      ? await hashReader(cells, declaration, hash)
      : cellReader(declaration);
  const values = new BigInt64Array(cells.length);
  const findings: OwnerFinding[] = [];
  const add = (code: OwnerCode, row: number, message: string): void => {
    if (findings.length < MAX_FINDINGS) findings.push({ code, row: row + 1, message });
  };
  cells.forEach((text, row) => {
    const cell = read(text);
    if (typeof cell === 'bigint') values[row] = cell;
    else add(cell, row, MESSAGES[cell]);
  });
  const unique = typeof declaration !== 'string' && declaration.unique === true;
  if (unique && findings.length === 0)
    for (const row of repeated(values))
      add('not_unique', row, 'the value of a join key stands twice');
  return { words: wordsOf(values), findings };
}

/** Codes of all different texts first, since a reader does not wait. */
async function hashReader(
  cells: string[],
  declaration: ColumnDeclaration,
  hash?: HashText,
): Promise<(text: string) => Cell> {
  if (!hash) throw new Error('a hash-coded column needs the salt of the job');
  const length = typeof declaration === 'string' ? 0 : (declaration.length ?? 0);
  const codes = new Map<string, Cell>();
  const code = async (text: string): Promise<void> => {
    const fits = Array.from(text.normalize('NFC')).length <= length;
    codes.set(text, fits ? BigInt.asIntN(64, BigInt(`0x${await hash(text)}`)) : 'too_long');
  };
  await Promise.all(Array.from(new Set(cells), code));
  return (text) => codes.get(text) ?? 'bad_value';
}

/** Rows whose value stands in an earlier one. */
function repeated(values: BigInt64Array): number[] {
  const seen = new Set<bigint>();
  return [...values.keys()].filter((row) => seen.size === seen.add(values[row]).size);
}

function wordsOf(values: BigInt64Array): Words {
  const words = new Int32Array(values.buffer);
  const at = (offset: number): Int32Array =>
    Int32Array.from({ length: values.length }, (_, row) => words[2 * row + offset]);
  return { low: at(0), high: at(1) };
}
