import { ApiError, queryHash, x25519KeyPair, type JobsApi } from '@glacis/shares';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { plain } from '../output.js';
import { keptJob } from './keep.js';
import { jobExits, type KeepFlags } from './options.js';
import type { JobRequest } from './request.js';

export interface Warning {
  code: string;
  message: string;
}

/** Answer of `POST /jobs/dry_run` (jobs.md 3.1). */
export interface DryRun {
  query_hash: string;
  operators: string[];
  policy_needed: Record<string, unknown>;
  leakage: string[];
  warnings?: Warning[];
  estimate: {
    rounds: number;
    bytes_per_party: number;
    seconds_lan: number;
    seconds_wan: number;
    memory: number;
  };
}

export interface Created {
  job_id: string;
  warnings?: Warning[];
  execution: string;
  isolation: string;
  query_hash: string;
  analyst_token?: string;
}

/** Compiles only: nothing is made. @throws ExitError 2 for a query that is refused, with its place */
export async function dryRun(api: JobsApi, request: JobRequest): Promise<DryRun> {
  return refusing(request.query_sql, () => api.post<DryRun>('/jobs/dry_run', request));
}

/** Makes a job whose result only this computer can open; key and token are kept before anything else happens. */
export async function createJob(
  api: JobsApi,
  request: JobRequest,
  { keep }: KeepFlags,
): Promise<Created> {
  const key = await x25519KeyPair();
  const body = { ...request, result_key: key.publicKey };
  const created = await refusing(request.query_sql, () => api.post<Created>('/create_job', body));
  const { job_id: jobId, analyst_token: token } = created;
  keptJob(keep, jobId).write({
    result_key: key,
    query_hash: await queryHash(request.query_sql),
    ...(token && { analyst_token: token }),
  });
  return created;
}

async function refusing<T>(sql: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const place = error instanceof ApiError ? placeOf(error.document) : undefined;
    if (!place || !(error instanceof ApiError)) throw error;
    throw new ExitError(`${error.message}\n${pointed(sql, place)}`, jobExits.refusedQuery);
  }
}

interface Place {
  line: number;
  column: number;
}

function placeOf(document: unknown): Place | undefined {
  return (document as { reason?: Place } | undefined)?.reason;
}

/** The line of the query with a mark below the place. */
function pointed(sql: string, { line, column }: Place): string {
  const text = plain(sql.split(/\r?\n/)[line - 1] ?? '');
  return `  ${text}\n  ${' '.repeat(Math.max(0, column - 1))}^`;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export function sayWarnings({ say }: Context, warnings: readonly Warning[] = []): void {
  for (const { code, message } of warnings) say(`warning ${code}: ${message}`);
}

/** Leakage, warnings and cost, for people. */
export function sayDryRun(context: Context, { leakage, warnings, estimate }: DryRun): void {
  const { say } = context;
  say('Who learns what');
  for (const sentence of leakage) say(`  ${sentence}`);
  const { rounds, bytes_per_party: bytes, seconds_lan: lan, seconds_wan: wan, memory } = estimate;
  say(
    `Estimate: ${rounds} rounds, ${megabytes(bytes)} from each party, ${lan} s (LAN) or ${wan} s (WAN), ` +
      `${megabytes(memory)} of memory`,
  );
  sayWarnings(context, warnings);
}
