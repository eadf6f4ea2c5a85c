import { stringify } from 'yaml';

export type OutputFormat = 'text' | 'json' | 'yaml' | 'csv';
export const outputFormats: readonly OutputFormat[] = ['text', 'json', 'yaml', 'csv'];

type Row = Record<string, unknown>;

/**
 * What a command shows: one object or a list, with the columns that the text form picks; or any value beside its own text
 * form.
 */
export type Shown =
  { object: Row } | { list: Row[]; columns: string[] } | { value: unknown; text: string };

/** Renders for people (`text`), for tables (`csv`: rows of a list), or programs (`json`, `yaml`: every member). */
export function render(shown: Shown, format: OutputFormat): string {
  const value = valueOf(shown);
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  if (format === 'yaml') return stringify(value);
  if ('text' in shown) return shown.text;
  if (format === 'csv') return csv('list' in shown ? shown.list : [shown.object]);
  return 'list' in shown ? table(shown.list, shown.columns) : properties(shown.object);
}

function valueOf(shown: Shown): unknown {
  if ('text' in shown) return shown.value;
  return 'list' in shown ? shown.list : shown.object;
}

function properties(object: Row): string {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${cell(value)}\n`).join('');
}

/** RFC 4180, with a first line of names; a cell that is no text stands there as JSON. */
function csv(rows: Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((cells) => `${cells.map(csvCell).join(',')}\n`).join('');
}

function csvCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows below the names of their columns. */
export function table(rows: Row[], columns: string[]): string {
  const lines = [
    columns.map((name) => name.toUpperCase()),
    ...rows.map((row) => columns.map((column) => cell(row[column]))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => (line[index] ?? '').length)),
  );
  return lines
    .map(
      (line) =>
        `${line
          .map((text, i) => text.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Terminal control characters of stored text never reach the terminal. */
function cell(value: unknown): string {
  if (value === undefined || value === null || value === '') return '-';
  return plain(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Stored text as one line for a terminal. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\uFFFD');
}

/** Stored text as lines for a terminal. */
export function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}
