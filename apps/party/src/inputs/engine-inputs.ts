import { tableInput, type InputSet, type Inputs } from '@glacis/mpc';
import { planName, type CompiledJob } from '../job/compiled-job.js';
import type { LoadedSet } from './load-sets.js';

/** Rows of each table of the plan. */
export function rowsOf(job: CompiledJob, sets: readonly LoadedSet[]): number[] {
  return job.compiled.plan.tables.map((name) =>
    sets
      .filter(({ table }) => planName(job, table) === name)
      .reduce((sum, { file }) => sum + file.rows, 0),
  );
}

/** What the engine computes with: tables of the plan, owners by registration sequence. */
export function engineInputs(job: CompiledJob, sets: readonly LoadedSet[]): Inputs {
  const { facts, compiled } = job;
  const { plan } = compiled;
  const tables = plan.tables.map((name, table) => {
    const owners = facts.owners.filter((each) => planName(job, each.table) === name);
    const mine = sets.filter((each) => planName(job, each.table) === name);
    const inputSets = mine.map(({ owner, file }): InputSet => ({
      owner: owners.findIndex((each) => each.owner === owner),
      rows: file.rows,
      columns: file.columns,
    }));
    return tableInput(plan, table, inputSets, owners.length);
  });
  const hashes = Object.entries(facts.hashed).map(
    ([text, code]) => [text, BigInt.asIntN(64, BigInt(`0x${code}`))] as const,
  );
  return { tables, hashes: new Map(hashes) };
}

/** Columns that came with `#hi` from all owners; the engine goes another way for them, so neighbours must agree. */
export function wideColumns({ tables }: Inputs): string[] {
  return tables.flatMap(({ columns }, table) =>
    [...columns].flatMap(([name, { arithmetic }]) =>
      arithmetic && 'high' in arithmetic ? [`${table}.${name}`] : [],
    ),
  );
}
