import type { Schema } from '@glacis/shares';
import { estimate, LAN } from '../estimate/estimate.js';
import { parse } from '../sql/parser.js';
import type { Condition, Query } from '../sql/syntax.js';
import { Aggregates, rowLookup } from './aggregates.js';
import { averageAtOpening } from './averages.js';
import { canonical, hashOf } from './canonical.js';
import { predicateOf, type Predicate } from './conditions.js';
import { planColumns } from './forms.js';
import { havingOf } from './having.js';
import { joinOf } from './joins.js';
import { leakageOf } from './leakage.js';
import { DEFAULTS, toldBounds, type CompileOptions } from './options.js';
import { orderOf } from './order.js';
import { Outputs, shapeOf } from './outputs.js';
import type { Plan, PlanLimits, PlanOutput } from './plan.js';
import { refuse, Scope } from './scope.js';
import { Uses, type PolicyNeeded } from './uses.js';
import { warningsOf, type Warning } from './warnings.js';

export interface Compiled {
  plan: Plan;
  /** The plan in its one text form, and `sha256:` with the digest of its UTF-8 bytes. */
  planText: string;
  planHash: string;
  warnings: Warning[];
  /** The least policy that owners must grant, by table. */
  policyNeeded: ReadonlyMap<string, PolicyNeeded>;
  /** Who learns what, sentence by sentence (jobs.md 11.8). */
  leakage: string[];
}

/** Columns of GROUP BY, or of DISTINCT, which groups by what it shows; each once. */
function keysOf({ groupBy, items, distinct, at }: Query, scope: Scope): number[] {
  if (groupBy.length > 0 || !distinct)
    return [...new Set(groupBy.map((name) => scope.resolve(name).index))];
  if (items === 'all') return scope.columns.map(({ index }) => index);
  return [
    ...new Set(
      items.map(({ expression }) =>
        expression.kind === 'column'
          ? scope.resolve(expression).index
          : refuse('syntax', 'DISTINCT takes columns', at),
      ),
    ),
  ];
}

/** DISTINCT beside GROUP BY says nothing if every key is shown, and something else than groups if not. */
function checkDistinct(
  { distinct, groupBy, at }: Query,
  keys: number[],
  outputs: PlanOutput[],
): void {
  const shown = new Set(outputs.map(({ source }) => (source.op === 'key' ? source.key : -1)));
  if (distinct && groupBy.length > 0 && keys.some((_key, index) => !shown.has(index)))
    refuse('syntax', 'DISTINCT beside GROUP BY needs every key in the select list', at);
}

function limitsOf(options: CompileOptions, raw: boolean, unit: boolean): PlanLimits {
  const { minGroupSize, rawRows } = options;
  const { aggregates, degree } = toldBounds(options);
  return {
    counted: unit ? 'unit' : 'rows',
    max_aggregates: aggregates,
    max_degree: degree,
    max_share_percent: options.maxSharePercent,
    min_group_size: minGroupSize,
    min_owners: options.minOwners,
    raw_rows: raw ? (rawRows === 'allow' ? 'allow' : 'consent') : 'none',
    residual: options.residual,
  };
}

const aggregatesIn = (node: unknown): number[] => {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'aggregate' in node && typeof node.aggregate === 'number' ? [node.aggregate] : [];
  return [...own, ...Object.values(node).flatMap(aggregatesIn)];
};

/** Compiles one query in the order in which its clauses are computed. */
class Compilation {
  readonly uses = new Uses();
  readonly scope: Scope;
  private readonly aggregates: Aggregates;
  private readonly keys: number[];

  constructor(
    private readonly query: Query,
    schema: Schema,
    private readonly options: CompileOptions,
  ) {
    this.scope = new Scope(schema, query);
    this.aggregates = new Aggregates(this.scope, options, this.uses);
    this.keys = keysOf(query, this.scope);
    this.keys.forEach((column) => this.uses.mark(column, 'group'));
  }

  plan(): Plan {
    const { query, scope, aggregates, keys } = this;
    const shape = shapeOf(query);
    const join = query.join && joinOf(scope, query.join);
    join?.keys.forEach((pair) => {
      this.uses.mark(pair.unique, 'join');
      this.uses.mark(pair.other, 'join');
    });
    const where = query.where && this.where(query.where);
    const outputs = new Outputs({ scope, aggregates, options: this.options, keys, shape }).of(
      query,
    );
    checkDistinct(query, keys, outputs);
    const having = query.having && havingOf(query.having, scope, aggregates, keys);
    const order = orderOf(query.orderBy, outputs, { scope, keys });
    this.averages(outputs, having, order);
    this.markOutputs(outputs);
    const unit = this.unit(join?.unique);
    const parts = {
      join,
      where,
      keys,
      filters: aggregates.filters,
      aggregates: aggregates.list,
      outputs,
      unit,
    };
    return {
      version: 1,
      tables: scope.tables,
      columns: planColumns(scope.columns, parts),
      shape,
      ...parts,
      having,
      order,
      limit: query.limit && Number(query.limit.count > 2n ** 31n ? 2n ** 31n : query.limit.count),
      limits: limitsOf(this.options, shape === 'rows', unit !== undefined || join !== undefined),
      avg_scale: this.options.avgScale,
      max_rows: this.options.maxRows,
    };
  }

  private where(condition: Condition): Predicate {
    return predicateOf(
      condition,
      rowLookup(this.scope, (column) => this.uses.mark(column, 'filter')),
    );
  }

  private averages(
    outputs: PlanOutput[],
    having: Predicate | undefined,
    order: Plan['order'],
  ): void {
    const ordered = order.flatMap(({ output }) => aggregatesIn(outputs[output].source));
    averageAtOpening(outputs, this.aggregates.list, new Set([...aggregatesIn(having), ...ordered]));
  }

  private markOutputs(outputs: PlanOutput[]): void {
    for (const { source } of outputs)
      if (source.op === 'column') this.uses.mark(source.column, 'output');
  }

  /** A join counts the declared column, that of the unique side if both tables declare one (11.12). */
  private unit(unique: 0 | 1 | undefined): number | undefined {
    const units = this.scope.columns.filter(({ privacyUnit }) => privacyUnit);
    return (units.find(({ table }) => table === (unique ?? 0)) ?? units[0])?.index;
  }
}

function checkRounds(plan: Plan, { maxRows, maxRounds }: CompileOptions, { at }: Query): void {
  if (maxRounds === undefined) return;
  const rows = plan.tables.map(() => maxRows);
  const { rounds } = estimate(plan, rows, LAN);
  if (rounds > maxRounds)
    refuse('too_complex', `this takes ${rounds} rounds, more than ${maxRounds}`, at);
}

/**
 * Compiles a query text.
 * @throws Refusal with code and place; SchemaError where the schema itself is at fault.
 */
export function compile(
  sql: string,
  schema: Schema,
  options: Partial<CompileOptions> = {},
): Compiled {
  const query = parse(sql);
  const all = { ...DEFAULTS, ...options };
  const compilation = new Compilation(query, schema, all);
  const plan = compilation.plan();
  checkRounds(plan, all, query);
  const planText = canonical(plan);
  return {
    plan,
    planText,
    planHash: hashOf(planText),
    warnings: warningsOf(plan),
    policyNeeded: compilation.uses.policies(plan.tables, compilation.scope.columns),
    leakage: leakageOf(plan),
  };
}
