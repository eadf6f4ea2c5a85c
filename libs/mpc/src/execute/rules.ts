import type { Plan } from '../compile/plan.js';
import type { Rules } from '../protocol/disclosure.js';

/**
 * What 11.12 asks of a run; owners are told apart only where a rule looks at them.
 * @param owners of each table.
 */
export function rulesFor({ limits, filters }: Plan, owners: readonly number[]): Rules {
  const { residual, min_owners: minOwners, max_share_percent: maxSharePercent } = limits;
  const apart = residual || minOwners > 1 || maxSharePercent < 100;
  return {
    counted: limits.counted,
    minGroupSize: limits.min_group_size,
    minOwners,
    maxSharePercent,
    residual,
    filters: filters.length,
    owners: owners.map((count) => (apart ? count : 1)),
  };
}
