import type { Predicate } from './conditions.js';
import type { Plan, PlanAggregate, PlanColumn } from './plan.js';
import type { ScopeColumn } from './scope.js';
import type { Value } from './values.js';

type Parts = Pick<Plan, 'join' | 'where' | 'keys' | 'filters' | 'aggregates' | 'outputs' | 'unit'>;

/** Which forms of its shares each column is used in. */
class Forms {
  readonly boolean = new Set<number>();
  readonly arithmetic = new Set<number>();
  readonly wide = new Set<number>();

  /** A side of a comparison: a bare column is there in bits, anything else is computed and converted. */
  compared(value: Value): void {
    if (value.op === 'column') this.boolean.add(value.column);
    else this.computed(value, value.ring);
  }

  computed(value: Value, ring: 32 | 64): void {
    if (value.op === 'column') {
      this.arithmetic.add(value.column);
      if (ring === 64) this.wide.add(value.column);
    } else if (value.op === 'negate') this.computed(value.operand, value.ring);
    else if ('left' in value) {
      this.computed(value.left, value.ring);
      this.computed(value.right, value.ring);
    }
  }

  predicate(node: Predicate): void {
    if (node.op === 'compare') {
      this.compared(node.left);
      this.compared(node.right);
    } else if ('operands' in node) node.operands.forEach((part) => this.predicate(part));
    else if (node.op === 'not') this.predicate(node.operand);
    else if (node.op !== 'always') this.compared(node.operand);
  }

  aggregate({ function: name, argument }: PlanAggregate): void {
    if (!argument) return;
    if (name === 'SUM' || name === 'AVG') this.computed(argument, 64);
    else this.compared(argument);
  }

  plan({ join, where, keys, filters, aggregates, outputs, unit }: Parts): void {
    for (const { unique, other } of join?.keys ?? [])
      [unique, other].forEach((c) => this.boolean.add(c));
    if (where) this.predicate(where);
    for (const column of keys) this.boolean.add(column);
    if (unit !== undefined) this.boolean.add(unit);
    filters.forEach((filter) => this.predicate(filter));
    aggregates.forEach((aggregate) => this.aggregate(aggregate));
    for (const { source } of outputs) if (source.op === 'column') this.boolean.add(source.column);
  }
}

/**
 * The columns of the plan, all of the schema's: what is not used in any form is not loaded (jobs.md 8), and no position
 * changes when a query uses one column more.
 */
export function planColumns(columns: ScopeColumn[], parts: Parts): PlanColumn[] {
  const forms = new Forms();
  forms.plan(parts);
  return columns.map(({ index, table, name, type, storedBits }) => {
    // A join carries bits of its unique side only (11.6), which are converted behind it.
    const carried = parts.join?.unique === table;
    const computed = forms.arithmetic.has(index);
    return {
      table,
      name,
      type,
      storedBits,
      boolean: forms.boolean.has(index) || (carried && computed),
      arithmetic: computed && !carried,
      wide: storedBits === 32 && forms.wide.has(index) && !carried,
    };
  });
}
