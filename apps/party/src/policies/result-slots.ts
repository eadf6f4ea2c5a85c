import type { AgentFinding, SignedPolicy } from '@glacis/contracts';
import type { Plan } from '@glacis/mpc';

/** Rows that a result may have at most: one of each input row, or of each combination of finite keys; LIMIT cuts. */
export function resultSlots(plan: Plan, rows: readonly number[]): number {
  const { shape, join, keys, columns, limit = Infinity } = plan;
  const input = rows[join === undefined ? 0 : 1 - join.unique] ?? 0;
  if (shape === 'global') return Math.min(1, limit);
  if (shape === 'rows') return Math.min(input, limit);
  const combinations = keys
    .flatMap((key) => columns[key]?.type ?? [])
    .reduce((product, { min, max }) => product * (max - min + 1n), 1n);
  return Math.min(input, Number(combinations), limit);
}

/** Owners whose `max_rows` this result would pass. */
export function tooManySlots(policies: readonly SignedPolicy[], slots: number): AgentFinding[] {
  return policies
    .filter(({ document: { policy } }) => policy?.max_rows !== undefined && policy.max_rows < slots)
    .map(({ document: { data_owner: owner } }) => ({
      owner,
      code: 'policy_violation',
      use: 'max_rows',
      message: 'the result may have more rows than the owner allows',
    }));
}
