import { stringify } from 'yaml';

export type OutputFormat = 'text' | 'json' | 'yaml';
export const outputFormats: readonly OutputFormat[] = ['text', 'json', 'yaml'];

type Row = Record<string, unknown>;

/** What a command shows: one object or a list, with the columns that the text form picks. */
export type Shown = { object: Row } | { list: Row[]; columns: string[] };

/** Renders for people (`text`) or programs (`json`, `yaml`: every member, unshortened). */
export function render(shown: Shown, format: OutputFormat): string {
  const value = 'list' in shown ? shown.list : shown.object;
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  if (format === 'yaml') return stringify(value);
  return 'list' in shown ? table(shown.list, shown.columns) : properties(shown.object);
}

function properties(object: Row): string {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${cell(value)}\n`).join('');
}

function table(rows: Row[], columns: string[]): string {
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
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replaceAll(/\p{Cc}/gu, '\uFFFD');
}
