/** A CSV file that cannot be taken apart: where it breaks off, from 1. */
export class CsvError extends Error {
  override readonly name = 'CsvError';

  constructor(
    message: string,
    readonly row: number,
  ) {
    super(message);
  }
}

/** One quoted or plain cell, and what ends it. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

/**
 * The records of a CSV text (RFC 4180): cells in quotes hold commas, quotes and line ends; a byte order mark, CRLF and a
 * final newline may be there. Empty lines are refused.
 * @throws CsvError
 */
export function* readRecords(text: string): Generator<string[]> {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  for (let row = 0; at < text.length; row += 1) {
    const record: string[] = [];
    if (/[\r\n]/.test(text.charAt(at))) throw new CsvError('a line is empty', row);
    for (let end = ','; end === ',';) {
      CELL.lastIndex = at;
      const match = CELL.exec(text);
      if (!match) throw new CsvError('a cell has a quote within', row);
      const [whole, quoted, plain = ''] = match;
      record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
      at += whole.length;
      end = match[3];
    }
    yield record;
  }
}
