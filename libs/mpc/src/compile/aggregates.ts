import { INT64, within, type Range, type ValueType } from '@glacis/shares';
import { isStatistic } from '../sql/aggregates.js';
import type { AggregateCall, Expression } from '../sql/syntax.js';
import { canonical } from './canonical.js';
import { predicateOf, type Predicate } from './conditions.js';
import { boundsOf, type Bounds, type CompileOptions } from './options.js';
import type { PlanAggregate } from './plan.js';
import { refuse, type Scope } from './scope.js';
import { union } from './types.js';
import type { AggregateUse, Uses } from './uses.js';
import { isNumeric, valueOf, type Lookup, type Value } from './values.js';

/** Most different FILTER conditions of a query (jobs.md 11.2). */
export const MAX_FILTERS = 4;

/** One of the aggregates that are computed; statistics are made of them at opening time. */
export type Simple = AggregateCall & { function: PlanAggregate['function'] };

export const isSimple = (call: AggregateCall): call is Simple => !isStatistic(call.function);

/** Columns under a value, each as often as it stands there. */
export const columnsOf = (value: Value): number[] => {
  if (value.op === 'column') return [value.column];
  if ('left' in value) return [...columnsOf(value.left), ...columnsOf(value.right)];
  return value.op === 'negate' ? columnsOf(value.operand) : [];
};

/** Columns that are multiplied with one another. */
const degreeOf = (node: Expression): number => {
  if (node.kind === 'column') return 1;
  if (node.kind === 'negate') return degreeOf(node.operand);
  if (node.kind !== 'arithmetic') return 0;
  const [left, right] = [degreeOf(node.left), degreeOf(node.right)];
  return node.operator === '*' ? left + right : Math.max(left, right);
};

const isExtreme = ({ function: name }: Pick<PlanAggregate, 'function'>): boolean =>
  name === 'MIN' || name === 'MAX';

const times = ({ min, max }: Range, factor: bigint): Range => ({
  min: min * factor,
  max: max * factor,
});
const ZERO: Range = { min: 0n, max: 0n };

/** Values of single rows: columns are looked up, aggregates refused. */
export const rowLookup =
  (scope: Scope, seen: (column: number) => void): Lookup =>
  (expression) => {
    if (expression.kind === 'aggregate')
      return refuse('function', 'aggregates stand in the select list and HAVING', expression.at);
    const { index, type, ...column } = scope.resolve(expression);
    seen(index);
    const node: Value = { op: 'column', column: index, type, ring: column.storedBits };
    // The low words of a 64-bit sharing are a sharing mod 2^32 (7.1).
    return within(type, { min: -(2n ** 31n), max: 2n ** 31n - 1n }) ? { ...node, ring: 32 } : node;
  };

/** Collects the aggregates of a query, each once. */
export class Aggregates {
  readonly list: PlanAggregate[] = [];
  readonly filters: Predicate[] = [];
  private readonly keys: string[] = [];
  /** By column: what 11.12 counts as different aggregates of it. */
  private readonly perColumn = new Map<number, Set<string>>();
  private readonly bounds: Bounds;

  constructor(
    private readonly scope: Scope,
    private readonly options: CompileOptions,
    private readonly uses: Uses,
  ) {
    this.bounds = boundsOf(options);
  }

  /**
   * @param use what the owners' policies are asked for.
   * @returns position of the aggregate in the plan.
   */
  add(call: Simple, use: AggregateUse = call.function): number {
    this.checkForm(call);
    const argument = call.argument && this.value(call.argument, use);
    const filter = call.filter && this.filter(call.filter);
    const range = this.typeOf(call, argument);
    const type = filter === undefined ? range : { ...range, ...union(range, ZERO) };
    const aggregate: PlanAggregate = { function: call.function, type };
    if (call.function !== 'COUNT') aggregate.argument = argument;
    if (filter !== undefined) aggregate.filter = filter;
    this.countPerColumn(call, aggregate);
    const key = canonical(aggregate);
    const known = this.keys.indexOf(key);
    if (known >= 0) return known;
    this.keys.push(key);
    return this.list.push(aggregate) - 1;
  }

  private value(expression: Expression, use: AggregateUse): Value {
    return valueOf(
      expression,
      rowLookup(this.scope, (column) => this.uses.aggregate(column, use)),
    );
  }

  private filter(condition: NonNullable<AggregateCall['filter']>): number {
    const predicate = predicateOf(
      condition,
      rowLookup(this.scope, (column) => this.uses.mark(column, 'filter')),
    );
    const key = canonical(predicate);
    const known = this.filters.findIndex((other) => canonical(other) === key);
    if (known >= 0) return known;
    if (this.filters.length === MAX_FILTERS)
      refuse('too_many_filters', `there are at most ${MAX_FILTERS} filters`, condition.at);
    return this.filters.push(predicate) - 1;
  }

  private typeOf(call: Simple, argument: Value | undefined): ValueType {
    const count = { kind: 'number', scale: 0, min: 0n, max: BigInt(this.options.maxRows) } as const;
    if (!argument || call.function === 'COUNT' || call.function === 'COUNT_DISTINCT') return count;
    if (isExtreme(call)) return extremeType(call, argument);
    if (argument.type.kind !== 'number')
      refuse('type_mismatch', `${call.function} takes a number`, call.at);
    return call.function === 'SUM' ? this.sum(call, argument) : this.average(call, argument);
  }

  private sum(call: Simple, { type }: Value): ValueType {
    const range = union(times(type, BigInt(this.options.maxRows)), ZERO);
    if (!within(range, INT64))
      refuse('overflow_possible', '64 bits may not hold this sum; declare bounds', call.at);
    return { kind: 'number', scale: type.scale, ...range };
  }

  /** The numerator of the division of 11.5 is a sum at the result's scale and half a count. */
  private average(call: Simple, { type }: Value): ValueType {
    const scale = Math.max(this.options.avgScale, type.scale);
    const range = times(type, 10n ** BigInt(scale - type.scale));
    const rows = BigInt(this.options.maxRows);
    const largest = -range.min > range.max ? -range.min : range.max;
    if (rows * largest + rows / 2n >= 2n ** 63n)
      refuse('overflow_possible', '64 bits may not hold this average; declare bounds', call.at);
    return { kind: 'number', scale, ...range };
  }

  /** Limits of 11.12 on what is written: single persons' values shall not be solved for. */
  private checkForm(call: Simple): void {
    const { degree } = this.bounds;
    if (isExtreme(call) && this.options.extremes === 'refuse')
      refuse('extremes_refused', 'MIN and MAX are refused here', call.at);
    if (degree === Infinity || !call.argument) return;
    if (isExtreme(call) && call.argument.kind !== 'column')
      refuse('expression_degree', 'MIN and MAX take a bare column', call.argument.at);
    if (degreeOf(call.argument) > degree)
      refuse('expression_degree', `at most ${degree} columns are multiplied`, call.argument.at);
  }

  /** One column is in at most so many different aggregates; AVG is SUM. */
  private countPerColumn(call: Simple, { argument, filter, ...aggregate }: PlanAggregate): void {
    if (!argument) return;
    const family = aggregate.function === 'AVG' ? 'SUM' : aggregate.function;
    for (const column of new Set(columnsOf(argument))) {
      const seen = this.perColumn.get(column) ?? new Set();
      this.perColumn.set(column, seen.add(canonical({ family, argument, filter })));
      if (seen.size > this.bounds.aggregates)
        refuse('too_many_aggregates', 'this column is in too many aggregates', call.at);
    }
  }
}

function extremeType({ function: name, at }: Simple, argument: Value): ValueType {
  if (argument.type.kind === 'hash') refuse('hash_order', 'hashed text has no order', at);
  if (!isNumeric(argument) && argument.op !== 'column')
    refuse('type_mismatch', `${name} takes a column, a number or a day`, at);
  return argument.type;
}
