import { variableOf, type SettingsDefinition, type Shape, type Values } from './definition.js';

const mask = '********';

/** The values by variable name, for a log line or a page; secrets that are set show as asterisks. */
export function dumpSettings<S extends Shape>(
  definition: SettingsDefinition<S>,
  values: Values<S>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(definition.shape).map(([key, setting]) => {
      const value = values[key as keyof S] as unknown;
      const hidden = setting.secret && value !== undefined && value !== '';
      return [variableOf(definition, key), hidden ? mask : value];
    }),
  );
}

/** A Markdown table of a group: variable, default, what it is for. */
export function settingsTable(definition: SettingsDefinition): string {
  const rows = Object.entries(definition.shape).map(
    ([key, { default: text, doc }]) =>
      `| \`${variableOf(definition, key)}\` | ${defaultCell(text)} | ${cell(doc)} |\n`,
  );
  return `| variable | default | meaning |\n|---|---|---|\n${rows.join('')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function defaultCell(text: string | undefined): string {
  if (text === undefined) return 'mandatory';
  return text === '' ? 'empty' : `\`${cell(text)}\``;
}
