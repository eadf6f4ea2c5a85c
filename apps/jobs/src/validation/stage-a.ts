import type { Plan } from '@glacis/mpc';
import { missingUses } from '@glacis/shares';
import type { Job } from '../jobs/job.entity.js';
import type { Owner, StoredPolicy, UploadSet } from '../owners/owner.entity.js';
import { tablesOf, UNNAMED_TABLE } from '../plan/tables.js';
import type { Finding } from './finding.js';

/** What stage A looks at (`jobs.md` 8). */
export interface Registered {
  job: Job;
  /** Of the job with the strictest options of all policies. */
  plan: Plan;
  owners: readonly Owner[];
  sets: readonly UploadSet[];
  counting: readonly StoredPolicy[];
  minOwners: number;
  now: Date;
}

/** Owners that a sorted GROUP BY tells apart one by one (11.12). */
const fewOwners = 16;

/** Whether rules and policies let the query run on what is registered. */
export function stageA(registered: Registered): Finding[] {
  return [
    ...enoughOwners(registered),
    ...rawRows(registered),
    ...registered.counting.flatMap((policy) => violations(registered, policy)),
    ...emptyTables(registered),
    ...tooManyOwners(registered),
  ];
}

function enoughOwners({ owners, minOwners }: Registered): Finding[] {
  if (owners.length >= Math.max(1, minOwners)) return [];
  const message = `${owners.length} owners are registered, ${Math.max(1, minOwners)} are needed`;
  return [{ code: 'no_owners', message }];
}

function rawRows({ job, plan, owners, counting }: Registered): Finding[] {
  if (plan.shape !== 'rows' || job.options.rawRows === 'allow') return [];
  if (job.options.rawRows === 'refuse')
    return [{ code: 'raw_rows_refused', message: 'rows that are not aggregated are never shown' }];
  const consents = (name: string): boolean => {
    const own = counting.filter(({ owner }) => owner === name);
    return own.length > 0 && own.every(({ consentRawRows }) => consentRawRows);
  };
  return owners
    .filter(({ name }) => !consents(name))
    .map(({ name }) => ({
      owner: name,
      code: 'raw_rows_not_consented',
      message: 'the owner has not signed its consent',
    }));
}

function violations(
  { job, now }: Registered,
  { owner, policy, tableName }: StoredPolicy,
): Finding[] {
  if (policy === null) return [];
  const needed = job.policyNeeded[tableName ?? soleTable(job)];
  const missing = needed ? missingUses(policy, needed) : [];
  const expired = policy.expires !== undefined && Date.parse(policy.expires) <= now.getTime();
  return [
    ...missing.map(({ column, use }) => ({
      owner,
      code: 'policy_violation',
      ...(column !== undefined && { column }),
      use,
      message: 'the policy of the owner does not allow this use',
    })),
    ...(expired
      ? [{ owner, code: 'policy_violation', use: 'expires', message: 'the policy has expired' }]
      : []),
  ];
}

const soleTable = ({ schema }: Job): string =>
  tablesOf(schema).keys().next().value ?? UNNAMED_TABLE;

function emptyTables({ job, sets }: Registered): Finding[] {
  const tables = [...tablesOf(job.schema).keys()];
  if (tables.length === 1) return [];
  return tables
    .filter((table) => !sets.some(({ tableName }) => tableName === table))
    .map((table) => ({ code: 'empty_table', message: `nobody has data of the table ${table}` }));
}

/** Beyond a few, owners are told apart by sorting, which does not go with every rule. */
function tooManyOwners({ plan, owners }: Registered): Finding[] {
  const { shape, filters, unit, join, limits } = plan;
  const tested = limits.residual || limits.min_owners > 1 || limits.max_share_percent < 100;
  const special =
    filters.length > 0 ||
    unit !== undefined ||
    join !== undefined ||
    limits.max_share_percent < 100;
  if (owners.length <= fewOwners || shape !== 'groups' || !tested || !special) return [];
  const message = `this query takes ${fewOwners} owners at most`;
  return [{ code: 'too_many_owners', message }];
}
