import { readWords } from '../share/csv-read.js';
import { ShareFileError, type ShareFile } from '../share/file.js';
import { dayText } from '../schema/days.js';
import { crossCheck } from './cross-check.js';
import { evaluate } from './evaluate.js';
import { OpenError } from './open-error.js';
import { decimal, decimalText, rounded, type Rational } from './rational.js';
import { checkReceipts, type Expected, type Receipt } from './receipts.js';
import type { OpeningColumn, ResultColumn, ShownType, StoredColumn, StoredForm } from './result.js';
import { cellValidity, openWords, validity } from './words.js';

/** A cell as it is shown; null: held back by a disclosure rule (`suppressed`), or arithmetic without a value. */
export interface OpenedCell {
  text: string | null;
  suppressed?: true;
}

export interface OpenedResult {
  columns: { name: string; type: ShownType }[];
  rows: OpenedCell[][];
}

/**
 * Opens a result (jobs.md 7.3): receipts and every copy of every share are checked before anything is shown.
 * @param files the unsealed result files of all parties, in their order
 * @param columns of `GET /jobs/{id}/results`
 * @param signed what the agents signed; left out only where a result has no receipts (external engine)
 * @throws OpenError
 */
export async function openResult(
  files: readonly Uint8Array[],
  columns: readonly ResultColumn[],
  signed?: Expected & { receipts: readonly Receipt[] },
): Promise<OpenedResult> {
  const shares = files.map(readFile);
  if (signed) await checkReceipts(signed.receipts, files, { ...signed, slots: shares[0]?.rows });
  crossCheck(shares);
  const live = validity(shares);
  const readers = columns.map((column) =>
    'opening' in column ? computed(shares, column) : stored(shares, column),
  );
  const rows = Array.from({ length: shares[0].rows }, (_, row) => row)
    .filter(live)
    .map((row) => readers.map((read) => read(row)));
  return { columns: columns.map(({ name, type }) => ({ name, type })), rows };
}

function readFile(bytes: Uint8Array, party: number): ShareFile {
  try {
    return readWords(bytes);
  } catch (error) {
    if (!(error instanceof ShareFileError)) throw error;
    const { message, row, column } = error;
    throw new OpenError('share_mismatch', message, { row, column, parties: [party] });
  }
}

type CellReader = (row: number) => OpenedCell;

function stored(files: readonly ShareFile[], column: StoredColumn): CellReader {
  const value = openWords(files, column.name, column);
  const shown = cellValidity(files, column.name, column);
  return (row) =>
    shown(row) ? { text: textOf(value(row), column.type) } : { text: null, suppressed: true };
}

function textOf(value: bigint, { kind, scale, labels }: ShownType): string {
  if (kind === 'date') return dayText(value);
  if (kind === 'label') return labels?.[Number(value)] ?? String(value);
  return decimalText(value, scale);
}

interface OpenedComponent {
  value: (row: number) => Rational;
  shown: (row: number) => boolean;
}

function component(
  files: readonly ShareFile[],
  { column, scale, ...form }: StoredForm & { column: string; scale: number },
): OpenedComponent {
  const digits = openWords(files, column, form);
  return {
    value: (row) => decimal(digits(row), scale),
    shown: cellValidity(files, column, form),
  };
}

function computed(files: readonly ShareFile[], item: OpeningColumn): CellReader {
  const { opening, components, type } = item;
  const parts = new Map(components.map((part) => [part.aggregate, component(files, part)]));
  const all = [...parts.values()];
  return (row) => {
    if (!all.every(({ shown }) => shown(row))) return { text: null, suppressed: true };
    const value = evaluate(opening, (aggregate) => parts.get(aggregate)?.value(row) ?? null);
    return { text: value && decimalText(rounded(value, type.scale), type.scale) };
  };
}
