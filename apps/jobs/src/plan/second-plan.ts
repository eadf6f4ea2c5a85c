import type { JobFacts } from '@glacis/contracts';
import type { Compiled, CompileOptions } from '@glacis/mpc';
import { textHasher, type Json } from '@glacis/shares';
import type { Job } from '../jobs/job.entity.js';
import type { Owner } from '../owners/owner.entity.js';
import type { PlanInForce } from '../runs/plan-in-force.js';
import type { Pin } from '../validation/stage-b.js';
import { versionOf, type PlanVersion } from './plan-version.js';

export interface SecondPlan extends PlanInForce {
  version: PlanVersion;
}

/** What submit adds to the plan (`jobs.md` 9): pins, owners in order, limits after all policies, the deadline. */
export async function secondPlan(
  job: Job,
  submitted: {
    owners: readonly Owner[];
    pins: readonly Pin[];
    compiled: Compiled;
    options: CompileOptions;
    deadlineFrom: Date;
  },
): Promise<SecondPlan> {
  const { owners, pins, compiled, options, deadlineFrom } = submitted;
  const data = pins.filter(({ kind, party }) => kind === 'data' && party === 0);
  const facts: JobFacts = {
    job_id: job.id,
    attempt: job.attempt,
    parties: job.placement.length,
    query_sql: job.sql,
    ...(job.schema as Pick<JobFacts, 'schema' | 'tables'>),
    options,
    owners: owners.flatMap(({ name }) =>
      data
        .filter(({ owner }) => owner === name)
        .map(({ tableName }) => ({ owner: name, table: tableName }))
        .toSorted((a, b) => ((a.table ?? '') < (b.table ?? '') ? -1 : 1)),
    ),
    hashed: await hashedTexts(job, compiled),
    result_key: job.resultKey,
  };
  const version = versionOf(2, {
    facts: facts as unknown as Json,
    query_plan: compiled.planHash,
    limits: { ...compiled.plan.limits },
    deadline: new Date(deadlineFrom.getTime() + job.deadlineSeconds * 1000).toISOString(),
    pins: pins.map(({ party, owner, kind, number, tableName, key, version: id, size }) => ({
      party,
      owner,
      kind,
      number,
      table: tableName,
      key,
      version: id,
      size,
    })),
  });
  return { version, facts, hash: version.hash };
}

/** Texts that hashed columns are compared with, as owners encode them. Parties never get the salt. */
async function hashedTexts(job: Job, { plan }: Compiled): Promise<Record<string, string>> {
  const texts = [plan.where, plan.having, ...plan.filters].flatMap(textsIn);
  if (texts.length === 0) return {};
  const hash = await textHasher(job.salt.toString('base64url'));
  const coded = [...new Set(texts)].map(async (text) => [text, await hash(text)] as const);
  return Object.fromEntries(await Promise.all(coded));
}

function textsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'texts' in node && Array.isArray(node.texts) ? (node.texts as string[]) : [];
  return [...own, ...Object.values(node).flatMap(textsIn)];
}
