import type { Component, ResultColumn, ShownType, StoredForm, ValueType } from '@glacis/shares';
import type { Plan, PlanAggregate, PlanOutput } from '../compile/plan.js';
import type { Shares } from '../protocol/shares.js';

/** What one party exports (jobs.md 7.3), finalised: columns in the order of its file. */
export interface ResultShares {
  rows: number;
  /** `header` without the `_0` and `_1` of slots: `n`, `n#hi`, `[g]`, `[#V:n]`, `[#V]`, `item#c1`. */
  columns: { header: string; words: Shares }[];
}

/** Where a column of the file comes from. */
export type FileSource =
  | { op: 'column'; column: number }
  | { op: 'key'; key: number }
  | { op: 'aggregate'; aggregate: number };

/** A value that is exported: an output, or a component of one. */
export interface FileColumn extends StoredForm {
  name: string;
  source: FileSource;
  type: ValueType;
}

/** Averages leave the division as bits, extremes and keys the sort; sums and counts stay in their ring. */
function aggregateForm(
  plan: Plan,
  { function: name, argument, filter }: PlanAggregate,
): StoredForm {
  const validity = filter === undefined ? undefined : true;
  if (name === 'SUM') return { form: 'arithmetic', bits: 64, validity };
  if (name === 'AVG') return { form: 'boolean', bits: 64, validity };
  if (name === 'COUNT' || name === 'COUNT_DISTINCT')
    return { form: 'arithmetic', bits: 32, validity };
  const bits =
    argument?.op === 'column' ? plan.columns[argument.column].storedBits : argument?.ring;
  return { form: 'boolean', bits: bits ?? 32, validity };
}

function columnForm(plan: Plan, column: number): StoredForm {
  return { form: 'boolean', bits: plan.columns[column].storedBits };
}

function stored(plan: Plan, name: string, source: FileSource): FileColumn {
  if (source.op === 'aggregate') {
    const aggregate = plan.aggregates[source.aggregate];
    return { name, source, type: aggregate.type, ...aggregateForm(plan, aggregate) };
  }
  const column = source.op === 'key' ? plan.keys[source.key] : source.column;
  return { name, source, type: plan.columns[column].type, ...columnForm(plan, column) };
}

/** The output that shows an aggregate by itself. */
const shownBy = ({ outputs }: Plan, aggregate: number): PlanOutput | undefined =>
  outputs.find(({ source }) => source.op === 'aggregate' && source.aggregate === aggregate);

const componentName = (item: string, index: number): string => `${item}#c${index + 1}`;

/** Components that no output shows get columns of their own, by their place in the item. */
function components(plan: Plan, { name, source }: PlanOutput): FileColumn[] {
  if (source.op !== 'opening') return [];
  return source.components.flatMap((aggregate, index) =>
    shownBy(plan, aggregate)
      ? []
      : [stored(plan, componentName(name, index), { op: 'aggregate', aggregate })],
  );
}

/** The values that a run of the plan exports, in the order of the file; validity bits follow them. */
export const fileColumns = (plan: Plan): FileColumn[] =>
  plan.outputs.flatMap((output) =>
    output.source.op === 'opening'
      ? components(plan, output)
      : [stored(plan, output.name, output.source)],
  );

const shown = ({ kind, scale, labels }: ValueType): ShownType => {
  if (kind === 'hash') throw new Error('hashed text is no output');
  return labels ? { kind, scale, labels } : { kind, scale };
};

const without = ({ form, bits, validity }: StoredForm): StoredForm =>
  validity ? { form, bits, validity } : { form, bits };

function component(plan: Plan, item: PlanOutput, index: number, aggregate: number): Component {
  const computed = plan.aggregates[aggregate];
  const column = shownBy(plan, aggregate)?.name ?? componentName(item.name, index);
  const form = without(aggregateForm(plan, computed));
  return { aggregate, column, scale: computed.type.scale, ...form };
}

/** How the result is opened and shown (7.3), in the order of the select list. */
export function resultColumns(plan: Plan): ResultColumn[] {
  return plan.outputs.map((output): ResultColumn => {
    const { name, source } = output;
    if (source.op !== 'opening') {
      const { type, ...form } = stored(plan, name, source);
      return { name, type: shown(type), ...without(form) };
    }
    return {
      name,
      type: { kind: 'number', scale: output.type.scale },
      opening: source.expression,
      components: source.components.map((aggregate, index) =>
        component(plan, output, index, aggregate),
      ),
    };
  });
}
