import { compile, type Compiled } from '@glacis/mpc';
import { shareHeader, typeOf, type Schema, type TableSchema } from '@glacis/shares';
import type { Job, SentSchema } from '../jobs/job.entity.js';

/** What a table without a name is called in keys and in `policy_needed`. */
export const UNNAMED_TABLE = 'data';

/** The tables of a job by name. */
export function tablesOf({ schema = {}, tables }: SentSchema): Schema {
  return new Map(tables ? Object.entries(tables) : [[UNNAMED_TABLE, schema]]);
}

/** The query as it was compiled at create, or with the stricter options of its policies. */
export function compiledOf(job: Job, options = job.options): Compiled {
  return compile(job.sql, tablesOf(job.schema), options);
}

/** The header line that share files of a table are asked to have (`jobs.md` 7.2). */
export function headerOf(job: Job, name: string, table: TableSchema): string[] {
  const { plan } = compiledOf(job);
  const position = plan.tables.indexOf(name);
  const hi = plan.columns.filter((each) => each.wide && each.table === position);
  const parties = job.placement.length as 3 | 4;
  return shareHeader({ table, parties, hi: hi.map((each) => each.name) });
}

/** Whether owners need the salt. */
export function isHashed(table: TableSchema): boolean {
  return Object.values(table).some((column) => typeOf(column).kind === 'hash');
}
