import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SettingsError } from '@glacis/settings';
import { z } from 'zod';
import { componentTypes, type ComponentType } from './component-types.js';

const names = z
  .array(z.string().regex(/^[a-zA-Z0-9_-]+$/))
  .max(100)
  .optional();
const form: z.ZodType<ComponentType> = z.strictObject({
  type: z.string().regex(/^[a-z0-9][-a-z0-9]*[a-z0-9]$/),
  chart: z.string().optional(),
  version: z.string(),
  inputs: names,
  outputs: names,
  config: z.record(z.string(), z.unknown()).optional(),
  system: z.boolean().optional(),
  hideInLibrary: z.boolean().optional(),
});
const own = new Set(componentTypes.map(({ type }) => type));

/**
 * Further types of components, one in each JSON file of the folder.
 * @throws {SettingsError} naming the file that does not hold
 */
export function readTypes(folder: string | undefined): ComponentType[] {
  if (folder === undefined) return [];
  return filesIn(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => readType(join(folder, name)));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw faulty((error as Error).message);
  }
}

function readType(path: string): ComponentType {
  try {
    const found = form.parse(JSON.parse(readFileSync(path, 'utf8')));
    if (own.has(found.type)) throw new Error(`${found.type} is a type of ours`);
    return found;
  } catch (error) {
    throw faulty(`${path}: ${(error as Error).message.replaceAll(/\s+/g, ' ')}`);
  }
}

function faulty(reason: string): SettingsError {
  return new SettingsError([{ name: 'GLACIS_SCHEMA_DIR', reason }]);
}
