import { configFile, readSection, type Section } from './file.js';
import {
  snakeCase,
  variableOf,
  type Setting,
  type SettingsDefinition,
  type Shape,
  type Values,
} from './definition.js';

export interface LoadOptions {
  /** Default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** Configuration file; default `GLACIS_CONFIG_FILE`, else `./.glacis_config.yml` when it is there. */
  file?: string;
  /** Defaults of the program that hosts the service, by key; environment and file go before them. */
  overrides?: Record<string, string>;
  /** Told the full name of each key in the file that nothing knows. */
  onUnknown?: (name: string) => void;
}

/** A setting that does not hold. `reason` never contains the value of a secret. */
export interface BadSetting {
  /** The environment variable, or `section.key` of the file when the value stands there. */
  name: string;
  reason: string;
}

/** At start-up: settings that do not hold, all of them at once. Correct the named ones and start again. */
export class SettingsError extends Error {
  readonly code = 'SETTINGS_INVALID';

  constructor(readonly bad: readonly BadSetting[]) {
    super(
      `settings that do not hold:\n${bad.map(({ name, reason }) => `  ${name}: ${reason}`).join('\n')}`,
    );
    this.name = 'SettingsError';
  }
}

interface Source {
  name: string;
  text: string | undefined;
}

/**
 * The settings of one service: environment over file over `overrides` over defaults.
 * @throws {SettingsError} naming every bad value
 */
export function loadSettings<S extends Shape>(
  definition: SettingsDefinition<S>,
  options: LoadOptions = {},
): Values<S> {
  const env = options.env ?? process.env;
  const section = fileSection(definition, env, options);
  const values: Record<string, unknown> = {};
  const bad: BadSetting[] = [];
  for (const [key, setting] of Object.entries<Setting<unknown>>(definition.shape)) {
    const source = sourceOf(definition, key, { env, section, overrides: options.overrides ?? {} });
    const reason = read(setting, source, (value) => (values[key] = value));
    if (reason) bad.push({ name: source.name, reason });
  }
  if (bad.length > 0) throw new SettingsError(bad);
  return values as Values<S>;
}

function fileSection(
  definition: SettingsDefinition,
  env: NodeJS.ProcessEnv,
  options: LoadOptions,
): Section {
  const path = configFile(env, options.file);
  if (path === undefined) return {};
  let section: Section;
  try {
    section = readSection(path, definition.section);
  } catch (error) {
    throw new SettingsError([{ name: path, reason: firstLine(error) }]);
  }
  const known = new Set(Object.keys(definition.shape).flatMap((key) => [key, snakeCase(key)]));
  for (const key of Object.keys(section)) {
    if (!known.has(key)) options.onUnknown?.(`${definition.section}.${key}`);
  }
  return section;
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n', 1)[0] ?? '';
}

interface Places {
  env: NodeJS.ProcessEnv;
  section: Section;
  overrides: Record<string, string>;
}

function sourceOf(definition: SettingsDefinition, key: string, places: Places): Source {
  const variable = variableOf(definition, key);
  const fromEnv = places.env[variable];
  if (fromEnv !== undefined) return { name: variable, text: fromEnv };
  for (const spelling of [snakeCase(key), key]) {
    const text = places.section[spelling];
    if (text !== undefined) return { name: `${definition.section}.${spelling}`, text };
  }
  return { name: variable, text: places.overrides[key] ?? definition.shape[key]?.default };
}

function read(
  setting: Setting<unknown>,
  source: Source,
  keep: (value: unknown) => void,
): string | undefined {
  if (source.text === undefined) return `mandatory: ${setting.doc}`;
  const result = setting.type.safeParse(source.text);
  if (result.success) {
    keep(result.data);
    return undefined;
  }
  const reason = result.error.issues.map((issue) => issue.message).join('; ');
  return setting.secret ? reason : `${reason}, not '${source.text}'`;
}
