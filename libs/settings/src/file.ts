import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** One section of the file: key as written to its value in the textual form of an environment variable. */
export type Section = Record<string, string>;

const conventional = './.glacis_config.yml';

/**
 * Where the configuration file lies: the given path, `GLACIS_CONFIG_FILE`, or `./.glacis_config.yml` when that is there.
 */
export function configFile(env: NodeJS.ProcessEnv, path?: string): string | undefined {
  const explicit = path ?? env['GLACIS_CONFIG_FILE'];
  if (explicit) return explicit;
  return existsSync(conventional) ? conventional : undefined;
}

/**
 * Reads one section; `{}` when the file or the section is empty.
 * @throws {Error} when the file cannot be read or parsed, a key stands twice, or a value is no text, number, flag or list
 */
export function readSection(path: string, name: string): Section {
  const document: unknown = parse(readFileSync(path, 'utf8'), { uniqueKeys: true });
  if (document === null || document === undefined) return {};
  if (!isMap(document)) throw new Error('the file is no map of sections');
  return flatten(name, document[name]);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Both shapes of a section: a map, or the older list of one-key maps. */
function flatten(name: string, section: unknown): Section {
  if (section === null || section === undefined) return {};
  const maps = Array.isArray(section) ? section : [section];
  const result: Section = {};
  for (const map of maps) {
    if (!isMap(map)) throw new Error(`${name}: expected a map, or a list of maps`);
    for (const [key, value] of Object.entries(map)) {
      if (Object.hasOwn(result, key)) throw new Error(`${name}.${key}: given twice`);
      result[key] = textOf(`${name}.${key}`, value);
    }
  }
  return result;
}

function textOf(name: string, value: unknown): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map((item) => textOf(name, item)).join(',');
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${name}: expected text, a number, true, false or a list`);
}
