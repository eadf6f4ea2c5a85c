import { stringify } from 'yaml';

export type OutputFormat = 'text' | 'json' | 'yaml';
export const outputFormats: readonly OutputFormat[] = ['text', 'json', 'yaml'];

type Row = Record<string, unknown>;

/**
 * What a command shows: one object or a list, with the columns that the text form picks; or any value beside its own text
 * form.
 */
export type Shown =
  { object: Row } | { list: Row[]; columns: string[] } | { value: unknown; text: string };

/** Renders for people (`text`) or programs (`json`, `yaml`: every member, unshortened). */
export function render(shown: Shown, format: OutputFormat): string {
  const value = valueOf(shown);
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  if (format === 'yaml') return stringify(value);
  if ('text' in shown) return shown.text;
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
