import type { Plan } from '@glacis/mpc';
import type { JobWarning } from '../jobs/job.entity.js';

/** Which disclosure rules held a result to what it shows (`jobs.md` 3.1); never whether they held anything back. */
export interface Suppression {
  min_group_size: number;
  min_owners: number;
  max_share_percent: number;
  counted: 'rows' | 'unit';
  rules: string[];
}

/** Undefined for raw rows, which no rule of 11.12 is about. */
export function suppressionOf({ shape, filters, limits }: Plan): Suppression | undefined {
  if (shape === 'rows') return undefined;
  const { min_group_size, min_owners, max_share_percent, counted, residual } = limits;
  const filtered = filters.length > 0;
  const rules: [string, boolean][] = [
    ['min_group_size', true],
    ['residual', residual],
    ['min_owners', min_owners > 1],
    ['max_share_percent', max_share_percent < 100],
    ['own_count', filtered],
    ['difference', filtered],
  ];
  return {
    min_group_size,
    min_owners,
    max_share_percent,
    counted,
    rules: rules.filter(([, holds]) => holds).map(([name]) => name),
  };
}

export interface SuppressionWarning extends JobWarning {
  min_group_size: number;
  counted: string;
  rules: string[];
}

/** What goes with every result of a query under 11.12. */
export function resultWarnings(plan: Plan): SuppressionWarning[] {
  const suppression = suppressionOf(plan);
  if (suppression === undefined) return [];
  const { min_group_size, counted, rules } = suppression;
  const message = 'groups and cells that the disclosure rules hold back are not shown';
  return [{ code: 'groups_may_be_suppressed', message, min_group_size, counted, rules }];
}
