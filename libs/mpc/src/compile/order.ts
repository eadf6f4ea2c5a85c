import type { ColumnName, OrderKey } from '../sql/syntax.js';
import type { Plan, PlanOutput } from './plan.js';
import { refuse, sameName, type Scope } from './scope.js';

function ordinal(number: bigint, outputs: PlanOutput[]): number {
  return number >= 1n && number <= BigInt(outputs.length) ? Number(number) - 1 : -1;
}

/** By the name of an output, else by a column that is one under another name. */
function named(key: ColumnName, outputs: PlanOutput[], columns: ColumnsOf): number {
  const byName = key.table ? -1 : outputs.findIndex(({ name }) => sameName(key.name, name));
  if (byName >= 0) return byName;
  const found = columns.scope.find(key).map(({ index }) => index);
  return outputs.findIndex(({ source }) => {
    if (source.op === 'column') return found.includes(source.column);
    return source.op === 'key' && found.includes(columns.keys[source.key]);
  });
}

interface ColumnsOf {
  scope: Scope;
  keys: number[];
}

/** The outputs that ORDER BY names. */
export function orderOf(
  keys: OrderKey[],
  outputs: PlanOutput[],
  columns: ColumnsOf,
): Plan['order'] {
  return keys.map(({ key, descending }) => {
    const output =
      key.kind === 'ordinal' ? ordinal(key.ordinal, outputs) : named(key, outputs, columns);
    if (output < 0) refuse('order_not_output', 'the order names an output column', key.at);
    if (outputs[output].source.op === 'opening')
      refuse('opening_only', 'this item is computed when the result is opened', key.at);
    return { output, descending };
  });
}
