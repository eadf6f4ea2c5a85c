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
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const rows = Object.entries(definition.shape).map(([key, setting]) =>
    [`\`${variableOf(definition, key)}\``, defaultCell(setting.default), cell(setting.doc)].join(
      ' | ',
    ),
  );
  return [
    '| variable | default | meaning |',
    '|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
  ].join('\n');

  function defaultCell(text: string | undefined): string {
    if (text === undefined) return 'mandatory';
    return text === '' ? 'empty' : `\`${cell(text)}\``;
  }
}
