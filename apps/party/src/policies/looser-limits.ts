import type { PolicyDocument } from '@glacis/contracts';
import type { PlanLimits } from '@glacis/mpc';

type Compare = readonly [limit: string, own: number, signed: number | undefined];

/** Limits of a plan that leave more than an owner has signed, or than its policy asks for (jobs.md 8.1). */
export function looserLimits(plan: PlanLimits, { limits, policy }: PolicyDocument): string[] {
  const floors: Compare[] = [
    ['min_group_size', plan.min_group_size, limits.min_group_size],
    ['min_group_size', plan.min_group_size, policy?.min_group_size],
    ['min_owners', plan.min_owners, limits.min_owners],
    ['min_owners', plan.min_owners, policy?.min_owners],
  ];
  const bounds: Compare[] = [
    ['max_share_percent', plan.max_share_percent, limits.max_share_percent],
    ['max_degree', plan.max_degree, limits.max_degree],
    ['max_degree', plan.max_degree, policy?.max_degree],
    ['max_aggregates', plan.max_aggregates, limits.max_aggregates],
    ['max_aggregates', plan.max_aggregates, policy?.max_aggregates],
  ];
  const looser = [
    ...floors.filter(([, own, signed]) => signed !== undefined && own < signed),
    ...bounds.filter(([, own, signed]) => signed !== undefined && own > signed),
  ].map(([limit]) => limit);
  const other = (['counted', 'raw_rows'] as const).filter((each) => plan[each] !== limits[each]);
  const residual = limits.residual && !plan.residual ? ['residual'] : [];
  return [...new Set([...looser, ...other, ...residual])];
}
