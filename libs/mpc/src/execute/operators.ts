import type { Plan } from '../compile/plan.js';

/** What a run of the plan does, step by step, as a dry run lists it (jobs.md 3.1). */
export function operatorsOf(plan: Plan): string[] {
  const { join, where, shape, aggregates, filters, having, order, limit } = plan;
  const names: [string, boolean][] = [
    ['scan', true],
    ['join', join !== undefined],
    ['filter', where !== undefined],
    ['filter_aggregate', filters.length > 0],
    ['group', shape === 'groups'],
    ...['COUNT', 'COUNT_DISTINCT', 'SUM', 'AVG', 'MIN', 'MAX'].map((name): [string, boolean] => [
      name.toLowerCase(),
      aggregates.some(({ function: call }) => call === name),
    ]),
    ['disclosure', shape !== 'rows'],
    ['having', having !== undefined],
    ['order', order.length > 0],
    ['limit', limit !== undefined],
    ['finalise', true],
  ];
  return names.filter(([, used]) => used).map(([name]) => name);
}
