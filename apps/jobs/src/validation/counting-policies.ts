import type { CompileOptions } from '@glacis/mpc';
import type { StoredPolicy } from '../owners/owner.entity.js';

/** The documents that count: of each owner and table the one that was issued last (`jobs.md` 8.1). */
export function countingOf(policies: readonly StoredPolicy[]): StoredPolicy[] {
  const latest = new Map<string, StoredPolicy>();
  for (const policy of policies) {
    const of = JSON.stringify([policy.owner, policy.tableName]);
    const before = latest.get(of);
    if (!before || issued(policy) >= issued(before)) latest.set(of, policy);
  }
  return [...latest.values()];
}

const issued = ({ issuedAt }: StoredPolicy): number => Date.parse(issuedAt);

type Bound = 'min_group_size' | 'min_owners' | 'max_degree' | 'max_aggregates';

/** The options that satisfy the job and every policy. */
export function strictest(
  options: CompileOptions,
  counting: readonly StoredPolicy[],
): CompileOptions {
  const policies = counting.flatMap(({ policy }) => policy ?? []);
  const bounds = (of: Bound): number[] => policies.flatMap((each) => each[of] ?? []);
  const least = (of: Bound): number | undefined =>
    bounds(of).length === 0 ? undefined : Math.min(...bounds(of));
  const [maxDegree, maxAggregates] = [least('max_degree'), least('max_aggregates')];
  return {
    ...options,
    minGroupSize: Math.max(options.minGroupSize, ...bounds('min_group_size')),
    minOwners: Math.max(options.minOwners, ...bounds('min_owners')),
    ...(maxDegree !== undefined && { maxDegree }),
    ...(maxAggregates !== undefined && { maxAggregates }),
  };
}
