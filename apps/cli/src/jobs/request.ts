import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { TableSchema } from '@glacis/shares';
import { Option, type Command } from 'commander';
import { UsageError } from '../client.js';
import type { Context } from '../context.js';

/** What `create_job` and `dry_run` are asked with. */
export interface QueryFlags {
  schema: string;
  name?: string;
  providers: string;
  level: string;
  minGroupSize?: string;
  minOwners?: string;
  maxSharePercent?: string;
  deadline?: string;
}

export const queryOptions = (command: Command): Command =>
  command
    .requiredOption('--schema <file>', 'JSON: columns, or {"tables": {name: columns}}')
    .option('--name <text>', 'name of the analysis; default: the name of the file')
    .option('--providers <list>', 'where the parties run, in commas', 'aws,gcp,azure')
    .addOption(new Option('--level <level>').choices(['semi', 'mal']).default('semi'))
    .option('--min-group-size <n>', 'smaller groups are held back')
    .option('--min-owners <n>', 'owners that a group needs')
    .option('--max-share-percent <n>', 'largest share of one owner in a group')
    .option('--deadline <seconds>', 'when the run is given up');

export interface JobRequest {
  analysis_name: string;
  query_sql: string;
  security_level: string;
  cloud_providers: string[];
  [extension: string]: unknown;
}

const wholeNumber = (value: string | undefined, option: string): number | undefined => {
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw new UsageError(`${option}: '${value}' is no whole number`);
  return Number(value);
};

/** @param file `-` is what is typed */
export async function requestOf(
  { stdin }: Context,
  file: string,
  flags: QueryFlags,
): Promise<JobRequest> {
  const sql = file === '-' ? await text(stdin) : contentOf(file);
  return {
    analysis_name: flags.name ?? nameOf(file),
    query_sql: sql.trim(),
    security_level: flags.level,
    cloud_providers: flags.providers.split(',').map((provider) => provider.trim()),
    ...schemaOf(flags.schema),
    min_group_size: wholeNumber(flags.minGroupSize, '--min-group-size'),
    min_owners: wholeNumber(flags.minOwners, '--min-owners'),
    max_share_percent: wholeNumber(flags.maxSharePercent, '--max-share-percent'),
    deadline_seconds: wholeNumber(flags.deadline, '--deadline'),
  };
}

const nameOf = (file: string): string =>
  file === '-' ? 'query' : file.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '');

export function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read '${file}'`, { cause: error });
  }
}

export function jsonOf<T>(file: string): T {
  try {
    return JSON.parse(contentOf(file)) as T;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`'${file}' is no JSON: ${String(error)}`, { cause: error });
  }
}

interface SentSchema {
  schema: TableSchema;
  tables?: Record<string, TableSchema>;
}

/** A column may be called `tables` too, but then holds no tables. */
function schemaOf(file: string): SentSchema {
  const read = jsonOf<TableSchema & { tables?: Record<string, TableSchema> }>(file);
  const { tables, ...others } = read;
  const several =
    Object.keys(others).length === 0 &&
    typeof tables === 'object' &&
    Object.values(tables).every((table) => typeof table === 'object' && !Array.isArray(table));
  return several ? { schema: {}, tables } : { schema: read };
}
