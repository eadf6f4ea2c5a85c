import { hex, sha256, utf8 } from '../crypto/bytes.js';
import type { TableSchema } from '../schema/schema.js';
import { canonicalJson } from '../sign/canonical.js';
import type { OwnerPolicy, SignedLimits } from '../sign/policy.js';
import type { JobsApi } from './api.js';

/** A job as its owners see it (jobs.md 3, `GET /jobs/{id}`). */
export interface OwnerJob {
  job_id: string;
  analysis_name: string;
  query_sql: string;
  query_hash: string;
  /** One table without a name, or `tables`. */
  schema?: TableSchema | null;
  tables?: Record<string, TableSchema> | null;
  schema_hash: string;
  limits: SignedLimits;
  /** By table. */
  policy_needed: Record<string, OwnerPolicy>;
  /** Provider of each party. */
  placement: (string | { provider: string })[];
  execution: string;
  isolation: string;
  state: string;
}

/** What an owner reads before it decides. */
export interface JobToRead {
  job: OwnerJob;
  /** Who learns what, sentence by sentence (11.8). */
  leakage: string[];
}

/** The service shows a query or schema under a hash that is not theirs. */
export class HashMismatchError extends Error {
  override readonly name = 'HashMismatchError';
}

export const digest = async (bytes: Uint8Array): Promise<string> =>
  `sha256:${hex(await sha256(bytes))}`;

/** The digest that binds a policy to a query text. */
export const queryHash = (sql: string): Promise<string> => digest(utf8(sql));

const given = <T>(value: T | null | undefined): T | undefined => value ?? undefined;

/**
 * Reads a job and holds its text against its hashes, since the hashes are what an owner signs.
 * @throws ApiError, HashMismatchError
 */
export async function readJob(api: JobsApi, jobId: string): Promise<JobToRead> {
  const path = `/jobs/${encodeURIComponent(jobId)}`;
  const job = await api.get<OwnerJob>(path);
  const schema = { schema: given(job.schema), tables: given(job.tables) };
  const schemaHash = await digest(utf8(canonicalJson(schema)));
  if ((await queryHash(job.query_sql)) !== job.query_hash || schemaHash !== job.schema_hash)
    throw new HashMismatchError('the job shows another query or schema than it names');
  const { leakage = [] } = await api.get<{ leakage?: string[] }>(`${path}/plan`);
  return { job, leakage };
}

/** A table of a job: its columns, and the policy that the query wants of it. */
export interface JobTable {
  /** Null where the job has one table without a name. */
  name: string | null;
  columns: TableSchema;
  needed: OwnerPolicy;
}

const NOTHING: OwnerPolicy = { default: 'deny', columns: {} };

/** @param name which of two tables; one table needs none. */
export function tableOf(job: OwnerJob, name?: string): JobTable {
  const tables = Object.entries(job.tables ?? {});
  if (tables.length === 0) {
    const needed = Object.values(job.policy_needed)[0] ?? NOTHING;
    return { name: null, columns: job.schema ?? {}, needed };
  }
  const found = tables.length === 1 ? tables[0] : tables.find(([table]) => table === name);
  if (!found) {
    const names = tables.map(([table]) => table).join(', ');
    throw new RangeError(`name the table of the data: ${names}`);
  }
  const [table, columns] = found;
  const single = tables.length === 1;
  return { name: single ? null : table, columns, needed: job.policy_needed[table] ?? NOTHING };
}
