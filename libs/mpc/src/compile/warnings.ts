import type { Plan } from './plan.js';

/** What an analyst should know of a query that is accepted (jobs.md 2.2). */
export interface Warning {
  code: 'raw_rows' | 'unit_missing' | 'reveals_components';
  message: string;
}

const TEXTS: Record<Warning['code'], string> = {
  raw_rows: 'submit needs the consent of every owner',
  unit_missing: 'no column is declared as privacy_unit, so the join key is counted',
  reveals_components: 'the values that an item is computed of are opened as well',
};

/** Whether an opening-time item shows values that are no outputs themselves. */
function revealsComponents({ outputs }: Plan): boolean {
  const shown = new Set(
    outputs.map(({ source }) => (source.op === 'aggregate' ? source.aggregate : -1)),
  );
  return outputs.some(
    ({ source }) => source.op === 'opening' && source.components.some((part) => !shown.has(part)),
  );
}

export function warningsOf(plan: Plan): Warning[] {
  const holds: Record<Warning['code'], boolean> = {
    raw_rows: plan.shape === 'rows',
    unit_missing: plan.shape !== 'rows' && plan.join !== undefined && plan.unit === undefined,
    reveals_components: revealsComponents(plan),
  };
  const codes: Warning['code'][] = ['raw_rows', 'unit_missing', 'reveals_components'];
  return codes.filter((code) => holds[code]).map((code) => ({ code, message: TEXTS[code] }));
}
