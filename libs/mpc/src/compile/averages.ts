import { canonical } from './canonical.js';
import type { PlanAggregate, PlanOutput } from './plan.js';

const sameRows = (a: PlanAggregate, b: PlanAggregate): boolean => a.filter === b.filter;
const sameArgument = (a: PlanAggregate, b: PlanAggregate): boolean =>
  canonical({ argument: a.argument }) === canonical({ argument: b.argument });

/**
 * AVG of rows of which SUM and COUNT are outputs too is divided when the result is opened (jobs.md 11.5).
 * @param needed aggregates that HAVING or ORDER BY uses, which the parties compute in any case.
 */
export function averageAtOpening(
  outputs: PlanOutput[],
  aggregates: PlanAggregate[],
  needed: ReadonlySet<number>,
): void {
  const shown = outputs.flatMap(({ source }) =>
    source.op === 'aggregate' ? [source.aggregate] : [],
  );
  const beside = (fits: (other: PlanAggregate) => boolean): number | undefined =>
    shown.find((index) => fits(aggregates[index]));
  for (const output of outputs) {
    const { source } = output;
    if (source.op !== 'aggregate' || needed.has(source.aggregate)) continue;
    const average = aggregates[source.aggregate];
    if (average.function !== 'AVG') continue;
    const sum = beside(
      (other) =>
        other.function === 'SUM' && sameRows(other, average) && sameArgument(other, average),
    );
    const count = beside((other) => other.function === 'COUNT' && sameRows(other, average));
    if (sum === undefined || count === undefined) continue;
    const left = { op: 'component', aggregate: sum } as const;
    const right = { op: 'component', aggregate: count } as const;
    const expression = { op: 'divide', left, right } as const;
    output.source = { op: 'opening', expression, components: [sum, count] };
  }
}
