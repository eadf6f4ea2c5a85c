import type { AgentFinding, InputsReply, SignedPolicy } from '@glacis/contracts';
import { missingUses, verifyPolicy } from '@glacis/shares';
import { planName, type CompiledJob } from '../job/compiled-job.js';
import { looserLimits } from './looser-limits.js';

type Owned = JobOwner & { documents: SignedPolicy[] };
type JobOwner = CompiledJob['facts']['owners'][number];

const violation = (owner: string, use: string, column?: string): AgentFinding => ({
  owner,
  code: 'policy_violation',
  ...(column === undefined ? {} : { column }),
  use,
  message: 'the owner does not allow this',
});

/** What of one signed document does not hold, by the row "agent" of jobs.md 8.1. */
async function faultsOf(
  job: CompiledJob,
  signed: SignedPolicy,
  now: Date,
): Promise<AgentFinding[]> {
  const { document, owner_key: key, signature } = signed;
  const { data_owner: owner, policy } = document;
  if (!(await verifyPolicy(document, key, signature))) return [violation(owner, 'signature')];
  const differing = (
    [
      ['job_id', job.facts.job_id],
      ['query_hash', job.queryHash],
      ['schema_hash', job.schemaHash],
    ] as const
  ).filter(([member, own]) => document[member] !== own);
  const needed = job.compiled.policyNeeded.get(planName(job, document.table));
  const expired = policy?.expires !== undefined && new Date(policy.expires) <= now;
  return [
    ...differing.map(([member]) => violation(owner, member)),
    ...looserLimits(job.compiled.plan.limits, document).map((limit) => violation(owner, limit)),
    ...(policy && needed
      ? missingUses(policy, needed).map(({ use, column }) => violation(owner, use, column))
      : []),
    ...(expired ? [violation(owner, 'expires')] : []),
  ];
}

const sameOwner = (a: JobOwner, { document }: SignedPolicy): boolean =>
  document.data_owner === a.owner && document.table === a.table;

/** An owner has one key, and one document for each table. */
function bindingFaults(
  { owner, documents }: Owned,
  { policies, owner_keys: bound }: InputsReply,
): AgentFinding[] {
  const keys = new Set(
    policies
      .filter(({ document }) => document.data_owner === owner)
      .map(({ owner_key: key }) => key),
  );
  if (Object.hasOwn(bound, owner)) keys.add(bound[owner] ?? '');
  return [
    ...(keys.size > 1 ? [violation(owner, 'owner_key')] : []),
    ...(documents.length > 1 ? [violation(owner, 'document')] : []),
  ];
}

/** Raw rows need what the limits say: the signed consent of every owner. */
function consentFaults({ compiled }: CompiledJob, owners: readonly Owned[]): AgentFinding[] {
  if (compiled.plan.limits.raw_rows !== 'consent') return [];
  return owners
    .filter(({ documents }) => documents[0]?.document.consent_raw_rows !== true)
    .map(({ owner }) => violation(owner, 'consent_raw_rows'));
}

/**
 * Whether the owners allow this plan (jobs.md 8.1). Every agent decides for itself, before it loads a share; a policy that
 * was signed is no less so because the coordinator says something else.
 * @returns nothing when they do
 */
export async function checkPolicies(
  job: CompiledJob,
  inputs: InputsReply,
  now: Date,
): Promise<AgentFinding[]> {
  const owners = job.facts.owners.map((owner) => ({
    ...owner,
    documents: inputs.policies.filter((signed) => sameOwner(owner, signed)),
  }));
  const strangers = inputs.policies.filter(
    (signed) => !job.facts.owners.some((owner) => sameOwner(owner, signed)),
  );
  const faults = await Promise.all(inputs.policies.map((signed) => faultsOf(job, signed, now)));
  return [
    ...strangers.map(({ document }) => violation(document.data_owner, 'owner')),
    ...owners.flatMap((owner) => bindingFaults(owner, inputs)),
    ...consentFaults(job, owners),
    ...faults.flat(),
  ];
}
