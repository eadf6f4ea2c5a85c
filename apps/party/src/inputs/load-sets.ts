import type { AgentFinding, InputsReply, JobFacts } from '@glacis/contracts';
import type { PartyId } from '@glacis/mpc';
import {
  readShareFile,
  SealError,
  ShareFileError,
  type ShareFile,
  type ShareFormat,
} from '@glacis/shares';
import { StepFailure } from '../failure.js';
import { planName, tableOf, type CompiledJob } from '../job/compiled-job.js';
import { fetchObject, type Fetched, type Sources } from './fetch-object.js';

type Pinned = InputsReply['files'][number];

/** One upload set as this party has it. */
export interface LoadedSet {
  owner: string;
  table: string | null;
  set: number;
  /** Of the share file, before sealing. */
  sha256: string;
  file: ShareFile;
}

/** What loading needs beside the pins. */
export interface Loading extends Sources {
  job: CompiledJob;
  party: PartyId;
  sealKey: string;
}

/** Reads the pinned files one after another, each checked as stage C says. @throws {StepFailure} with all findings */
export async function loadSets(files: readonly Pinned[], loading: Loading): Promise<LoadedSet[]> {
  checkOwners(files, loading.job);
  const sets: LoadedSet[] = [];
  const findings: AgentFinding[] = [];
  for (const pinned of files) {
    const loaded = await loadSet(pinned, loading);
    if ('code' in loaded) findings.push({ owner: pinned.owner, party: loading.party, ...loaded });
    else sets.push(loaded);
  }
  const most = loading.job.facts.options.maxRows;
  findings.push(...tooManyRows(sets, most, loading.party));
  if (findings.length > 0)
    throw new StepFailure('data', 'owner_data_rejected', 'files of owners are not good', findings);
  return sets;
}

const names = ({ owner, table }: JobFacts['owners'][number]): string =>
  JSON.stringify([owner, table]);

/** Every file belongs to an owner of the job, and no owner has two of one table. */
function checkOwners(files: readonly Pinned[], { facts }: CompiledJob): void {
  const known = new Set(facts.owners.map(names));
  const given = files.map(names);
  if (new Set(given).size < given.length || given.some((name) => !known.has(name)))
    throw new StepFailure(
      'protocol',
      'unknown_owner',
      'a file is of nobody who has a part in this',
    );
}

type Fault = Pick<AgentFinding, 'code' | 'message' | 'row' | 'column'>;

async function loadSet(pinned: Pinned, loading: Loading): Promise<LoadedSet | Fault> {
  const { owner, table, set } = pinned;
  try {
    const fetched = await fetchObject(loading, pinned, loading.sealKey);
    const fault = pinFault(pinned, fetched);
    if (fault) return fault;
    const { maxRows } = loading.job.facts.options;
    const file = await readShareFile(fetched.bytes, formatOf(loading.job, table), maxRows);
    if (pinned.rows !== null && pinned.rows !== file.rows)
      return { code: 'row_count_mismatch', message: 'the file has other rows than were declared' };
    return { owner, table, set, sha256: fetched.sha256, file };
  } catch (error) {
    if (error instanceof SealError)
      return { code: 'bad_file', message: 'the file is not sealed to this party' };
    if (!(error instanceof ShareFileError)) throw error;
    const { code, message, row, column } = error;
    return { code, message, row, column };
  }
}

/** The object that came is the one that was pinned, and has the digest that its owner declared. */
function pinFault({ bytes, sha256 }: Pinned, fetched: Fetched): Fault | undefined {
  if (fetched.stored !== bytes && fetched.length !== bytes)
    return { code: 'size_mismatch', message: 'the file has another size than it was pinned with' };
  if (sha256 !== null && sha256 !== fetched.sha256)
    return { code: 'digest_mismatch', message: 'the file has another digest than was declared' };
  return undefined;
}

/** 32-bit columns that the plan adds up in 64 bits may come with `#hi` (jobs.md 7.2). */
function formatOf(job: CompiledJob, table: string | null): ShareFormat {
  const declared = tableOf(job, table);
  if (declared === undefined)
    throw new StepFailure('protocol', 'unknown_table', 'a file is of a table that there is not');
  const { plan } = job.compiled;
  const at = plan.tables.indexOf(planName(job, table));
  const wide = plan.columns.filter((column) => column.table === at && column.wide);
  return { table: declared, hi: wide.map(({ name }) => name) };
}

/** `jobs.engine.maxRows` holds for a table over all its owners. */
function tooManyRows(sets: readonly LoadedSet[], most: number, party: PartyId): AgentFinding[] {
  const rows = new Map<string | null, number>();
  for (const { table, file } of sets) rows.set(table, (rows.get(table) ?? 0) + file.rows);
  return [...rows.values()]
    .filter((count) => count > most)
    .map(() => ({ party, code: 'too_many_rows', message: `a table has more than ${most} rows` }));
}
