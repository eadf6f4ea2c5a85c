import { ShareFileError, type ShareFile, type ShareFormat } from './file.js';
import { headerFits } from './header.js';

const [LF, CR, COMMA, QUOTE, MINUS, ZERO, NINE] = Array.from('\n\r,"-09', (c) => c.charCodeAt(0));
const INT32_MAX = 2 ** 31 - 1;

const badFile = (message: string, row?: number): ShareFileError =>
  new ShareFileError('bad_file', message, row);

/** Walks over the cells of a CSV file without making a text of them. */
class Scanner {
  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {}

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  /** A canonical decimal of 32 bits, in quotes or not, up to the end of its cell; else undefined. */
  cell(): number | undefined {
    const quoted = this.take(QUOTE);
    const value = this.integer();
    if (quoted && !this.take(QUOTE)) return undefined;
    return this.ended || this.on(COMMA) || this.onLineEnd() ? value : undefined;
  }

  comma(): boolean {
    return this.take(COMMA);
  }

  lineEnd(): boolean {
    if (this.ended) return true;
    if (!this.onLineEnd()) return false;
    this.take(CR);
    return this.take(LF);
  }

  onLineEnd(): boolean {
    return this.on(LF) || (this.on(CR) && this.bytes[this.at + 1] === LF);
  }

  private integer(): number | undefined {
    const negative = this.take(MINUS);
    const canonical = !this.on(ZERO) || (!negative && !this.digitAt(this.at + 1));
    const magnitude = this.digits();
    const most = negative ? INT32_MAX + 1 : INT32_MAX;
    if (magnitude === undefined || !canonical || magnitude > most) return undefined;
    return negative ? -magnitude : magnitude;
  }

  private digits(): number | undefined {
    if (!this.digitAt(this.at)) return undefined;
    let value = 0;
    for (; this.digitAt(this.at); this.at += 1) value = value * 10 + this.bytes[this.at] - ZERO;
    return value;
  }

  private digitAt(at: number): boolean {
    return this.bytes[at] >= ZERO && this.bytes[at] <= NINE;
  }

  private on(byte: number): boolean {
    return this.bytes[this.at] === byte;
  }

  private take(byte: number): boolean {
    if (!this.on(byte)) return false;
    this.at += 1;
    return true;
  }
}

/** The names of the first line, and where the next one begins. */
function headerOf(bytes: Uint8Array): { header: string[]; body: number } {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const start = marked ? 3 : 0;
  const feed = bytes.indexOf(LF);
  const end = feed < 0 ? bytes.length : feed;
  const line = new TextDecoder()
    .decode(bytes.subarray(start, end))
    .replace(/\r$/, '')
    .split(',')
    .map((name) => name.replace(/^"([^"]*)"$/, '$1'));
  return { header: line, body: end + 1 };
}

function linesFrom(bytes: Uint8Array, start: number): number {
  let lines = 0;
  for (let at = start; at < bytes.length; lines += 1) {
    const feed = bytes.indexOf(LF, at);
    at = feed < 0 ? bytes.length : feed + 1;
  }
  return lines;
}

/**
 * Reads a share file in CSV form (jobs.md 7.2).
 * @param maxRows more rows are refused before a cell is read
 * @throws ShareFileError
 */
export function readCsv(bytes: Uint8Array, format: ShareFormat, maxRows: number): ShareFile {
  const { header, body } = headerOf(bytes);
  if (!headerFits(header, format))
    throw new ShareFileError('header_mismatch', 'the header is not that of the job');
  return readBody(bytes, body, header, maxRows);
}

/** The cells below a header, all words of 32 bits. */
function readBody(bytes: Uint8Array, start: number, header: string[], maxRows: number): ShareFile {
  const rows = linesFrom(bytes, start);
  if (rows === 0) throw badFile('the file has no row');
  if (rows > maxRows) throw new ShareFileError('too_many_rows', `there are over ${maxRows} rows`);
  const scanner = new Scanner(bytes, start);
  const columns = header.map(() => new Int32Array(rows));
  for (let row = 0; row < rows; row += 1) readRow(scanner, columns, row, header);
  return { rows, columns: new Map(header.map((name, i) => [name, columns[i]])) };
}

function readRow(scanner: Scanner, columns: Int32Array[], row: number, header: string[]): void {
  if (scanner.onLineEnd()) throw badFile('a line is empty', row + 1);
  const last = columns.length - 1;
  for (let column = 0; column <= last; column += 1) {
    const value = scanner.cell();
    if (value === undefined)
      throw new ShareFileError('bad_cell', 'a cell is no share', row + 1, header[column]);
    columns[column][row] = value;
    if (!(column === last ? scanner.lineEnd() : scanner.comma()))
      throw badFile('a row has another number of cells than the header', row + 1);
  }
}

/** A CSV file of words whose header is judged by the caller, such as a result file. */
export function readWords(bytes: Uint8Array): ShareFile {
  const { header, body } = headerOf(bytes);
  if (new Set(header).size !== header.length) throw badFile('a column stands twice');
  if (linesFrom(bytes, body) === 0)
    return { rows: 0, columns: new Map(header.map((name) => [name, new Int32Array()])) };
  return readBody(bytes, body, header, Infinity);
}
