import type { OpeningExpression } from '@glacis/shares';
import type { AggregateCall, Expression, Item, Query } from '../sql/syntax.js';
import { isSimple, type Aggregates, type Simple } from './aggregates.js';
import type { CompileOptions } from './options.js';
import type { OutputSource, Plan, PlanOutput } from './plan.js';
import { refuse, type Scope, type ScopeColumn } from './scope.js';

export type Shape = Plan['shape'];

const NOT_ARITHMETIC = 'an output is a column or arithmetic of aggregates';

/** Whether an aggregate stands anywhere in an expression. */
export function hasAggregate(node: Expression): boolean {
  if (node.kind === 'aggregate') return true;
  if (node.kind === 'negate') return hasAggregate(node.operand);
  return node.kind === 'arithmetic' && (hasAggregate(node.left) || hasAggregate(node.right));
}

/** Raw rows unless something groups: GROUP BY, DISTINCT, an aggregate or HAVING. */
export function shapeOf({ items, groupBy, distinct, having }: Query): Shape {
  if (groupBy.length > 0) return 'groups';
  const aggregated = items !== 'all' && items.some(({ expression }) => hasAggregate(expression));
  if (aggregated || having) return 'global';
  return distinct ? 'groups' : 'rows';
}

interface Opening {
  expression: OpeningExpression;
  scale: number;
}

const OPERATIONS = { '+': 'add', '-': 'subtract', '*': 'multiply', '/': 'divide' } as const;

export interface OutputContext {
  scope: Scope;
  aggregates: Aggregates;
  options: CompileOptions;
  /** Columns of GROUP BY or DISTINCT; empty for other shapes. */
  keys: number[];
  shape: Shape;
}

/** Turns the select list into outputs. */
export class Outputs {
  private readonly names = new Set<string>();
  private readonly scope: Scope;
  private readonly aggregates: Aggregates;

  constructor(private readonly context: OutputContext) {
    this.scope = context.scope;
    this.aggregates = context.aggregates;
  }

  of({ items, at }: Query): PlanOutput[] {
    if (items !== 'all') return items.map((item) => this.item(item));
    if (this.context.keys.length === 0 && this.context.shape !== 'rows')
      refuse('not_grouped', '* stands alone, without aggregates', at);
    return this.scope.columns.map((column) => this.column(column, at, column.name));
  }

  private item({ expression, alias }: Item): PlanOutput {
    const name = alias?.text;
    if (expression.kind === 'column') {
      const column = this.scope.resolve(expression);
      return this.column(column, expression.at, name ?? column.name);
    }
    if (!hasAggregate(expression) && this.context.shape === 'rows')
      refuse('syntax', NOT_ARITHMETIC, expression.at);
    if (expression.kind === 'aggregate' && isSimple(expression)) {
      const aggregate = this.aggregates.add(expression);
      const { kind, scale } = this.aggregates.list[aggregate].type;
      const source: OutputSource = { op: 'aggregate', aggregate };
      return { name: this.unique(name ?? nameOf(expression)), source, type: { kind, scale } };
    }
    const { expression: opening, scale } = this.opening(expression);
    const components = [...new Set(componentsOf(opening))];
    return {
      name: this.unique(name ?? nameOf(expression)),
      source: { op: 'opening', expression: opening, components },
      type: { kind: 'number', scale },
    };
  }

  private column({ index, type }: ScopeColumn, at: Expression['at'], name: string): PlanOutput {
    const { kind, scale } = type;
    if (kind === 'hash') refuse('hash_output', 'of hashed text nothing can be shown', at);
    const key = this.context.keys.indexOf(index);
    if (key < 0 && this.context.shape !== 'rows')
      refuse('not_grouped', 'a column beside aggregates stands in GROUP BY', at);
    const source: OutputSource = key < 0 ? { op: 'column', column: index } : { op: 'key', key };
    return { name: this.unique(name), source, type: { kind, scale } };
  }

  private unique(name: string): string {
    let free = name;
    for (let n = 2; this.names.has(free.toLowerCase()); n += 1) free = `${name}_${n}`;
    this.names.add(free.toLowerCase());
    return free;
  }

  private opening(node: Expression): Opening {
    if (node.kind === 'number') {
      const { digits, scale } = node;
      return { expression: { op: 'number', digits: digits.toString(), scale }, scale };
    }
    if (node.kind === 'negate') {
      const { expression, scale } = this.opening(node.operand);
      return { expression: { op: 'negate', operand: expression }, scale };
    }
    if (node.kind === 'aggregate') return this.component(node);
    if (node.kind !== 'arithmetic') return refuse('syntax', NOT_ARITHMETIC, node.at);
    const left = this.opening(node.left);
    const right = this.opening(node.right);
    const scales: Record<typeof node.operator, number> = {
      '+': Math.max(left.scale, right.scale),
      '-': Math.max(left.scale, right.scale),
      '*': left.scale + right.scale,
      '/': Math.max(this.context.options.avgScale, left.scale, right.scale),
    };
    const op = OPERATIONS[node.operator];
    const expression = { op, left: left.expression, right: right.expression };
    return { expression, scale: scales[node.operator] };
  }

  private component(call: AggregateCall): Opening {
    if (!isSimple(call)) return this.statistic(call);
    const aggregate = this.aggregates.add(call);
    const { kind, scale } = this.aggregates.list[aggregate].type;
    if (kind !== 'number') refuse('type_mismatch', 'only numbers are computed with', call.at);
    return { expression: { op: 'component', aggregate }, scale };
  }

  /** VARIANCE and STDDEV, from SUM(x), SUM(x·x) and COUNT(*). */
  private statistic({ function: name, argument, at }: AggregateCall): Opening {
    if (!argument) return refuse('function', 'a variance takes a column', at);
    const add = (parts: Omit<Simple, 'kind' | 'at'>): number =>
      this.aggregates.add({ kind: 'aggregate', at, ...parts }, 'VARIANCE');
    const square: Expression = {
      kind: 'arithmetic',
      operator: '*',
      left: argument,
      right: argument,
      at,
    };
    const sum = add({ function: 'SUM', argument });
    const squares = add({ function: 'SUM', argument: square });
    const count = add({ function: 'COUNT' });
    const sample = name.endsWith('SAMP');
    const root = name.startsWith('STDDEV');
    const scale = Math.max(this.context.options.avgScale, this.aggregates.list[sum].type.scale);
    return { expression: { op: 'variance', sum, squares, count, sample, root }, scale };
  }
}

export function componentsOf(node: OpeningExpression): number[] {
  if (node.op === 'component') return [node.aggregate];
  if (node.op === 'variance') return [node.sum, node.squares, node.count];
  if (node.op === 'negate') return componentsOf(node.operand);
  return 'left' in node ? [...componentsOf(node.left), ...componentsOf(node.right)] : [];
}

/** A name for an item that was given none: function and column, safe in a header. */
function nameOf(node: Expression): string {
  if (node.kind !== 'aggregate') return 'item';
  const name = node.function.toLowerCase();
  return node.argument?.kind === 'column' ? `${name}_${node.argument.name.text}` : name;
}
