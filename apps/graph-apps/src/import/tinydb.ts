import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** A file of Rampart cannot be taken over; the message names file, row and member. Nothing of it was written. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}

/** Python wrote truth as text; absent is false. */
const flag = z
  .union([z.boolean(), z.enum(['True', 'False', 'true', 'false', ''])])
  .nullish()
  .transform((value) => value === true || value === 'True' || value === 'true');

const time = z.iso
  .datetime({ offset: true, local: true })
  // Python writes times of UTC without saying so.
  .transform((text) => new Date(/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`));
const timeOrNone = z
  .union([time, z.enum(['', 'None']).transform(() => null)])
  .nullish()
  .transform((value) => value ?? null);

const textOrNone = z
  .string()
  .nullish()
  .transform((value) => (value === 'None' || value === '' ? null : (value ?? null)));
const object = z.record(z.string(), z.unknown());
const part = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);

export const appRow = z.object({
  namespace: part,
  name: part,
  uid: textOrNone,
  desc: z.string().nullish(),
  active: flag,
  labels: z.record(z.string(), z.string()).nullish(),
  lastEditTimestamp: timeOrNone,
  lastDeploymentTimestamp: timeOrNone,
});
export type AppRow = z.output<typeof appRow>;

export const versionRow = z.object({
  namespace: part,
  name: part,
  version: z.coerce.number().int().positive(),
  status: textOrNone,
  active: flag,
  creationTimestamp: timeOrNone,
  lastDeploymentTimestamp: timeOrNone,
  notes: z.string().nullish(),
  graph: z.object({
    object: z.object({
      apiVersion: z.string(),
      kind: z.string(),
      spec: z.looseObject({ graph: object }),
    }),
    timestamp: timeOrNone,
  }),
});
export type VersionRow = z.output<typeof versionRow>;

export const configRow = z.object({
  id: z
    .string()
    .transform((id) => id.replaceAll('-', ''))
    .pipe(z.string().regex(/^[\da-f]{32}$/)),
  title: z.string(),
  config: object,
  type: z.string(),
  nodeType: z.string(),
  message: z.string().nullish(),
  creationTimestamp: time,
  lastModifiedTimestamp: timeOrNone,
  version: z.coerce.number().int().positive().default(1),
});
export type ConfigRow = z.output<typeof configRow>;

const file = z.object({ _default: z.record(z.string(), z.unknown()).default({}) });

/**
 * The rows of a TinyDB file in their order; none where there is no such file.
 * @throws {ImportError}
 */
export async function readRows<T>(folder: string, name: string, form: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(join(folder, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw new ImportError(`${name}: ${error.message}`);
  });
  const rows = Object.entries(rowsIn(name, text)).toSorted(([a], [b]) => Number(a) - Number(b));
  return rows.map(([number, row]) => {
    const { data, error } = form.safeParse(row);
    if (error) throw new ImportError(`${name}, row ${number}: ${faultOf(error)}`);
    return data;
  });
}

function rowsIn(name: string, text: string): Record<string, unknown> {
  try {
    // oxlint-disable-next-line no-underscore-dangle -- the name of TinyDB's one table
    return file.parse(JSON.parse(text))._default;
  } catch (error) {
    throw new ImportError(`${name}: no TinyDB file`, { cause: error });
  }
}

function faultOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'invalid'}`;
}
