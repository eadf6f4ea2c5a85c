import { canonical } from '../compile/canonical.js';
import type { Plan, PlanAggregate } from '../compile/plan.js';
import { widthOf } from '../compile/types.js';
import { divideRounded } from '../protocol/division.js';
import { together, type Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import type { Shares } from '../protocol/shares.js';
import type { Reduced } from './reduction.js';
import type { Forms } from './rows.js';

/** What a plan's aggregates are made of, each once. */
export interface Parts {
  /** SUM and AVG by what they add up. */
  sums: PlanAggregate[];
  extremes: PlanAggregate[];
  distinct: PlanAggregate[];
}

const keyOf = ({ argument, filter }: PlanAggregate): string => canonical({ argument, filter });

const isSummed = ({ function: name }: PlanAggregate): boolean => name === 'SUM' || name === 'AVG';
const isExtreme = ({ function: name }: PlanAggregate): boolean => name === 'MIN' || name === 'MAX';

export function partsOf({ aggregates }: Plan): Parts {
  const sums = new Map(aggregates.filter(isSummed).map((each) => [keyOf(each), each]));
  return {
    sums: [...sums.values()],
    extremes: aggregates.filter(isExtreme),
    distinct: aggregates.filter((each) => each.function === 'COUNT_DISTINCT'),
  };
}

/** SUM·10^(t - s) / COUNT on result slots (11.5, AVG). */
function* average(
  party: Party,
  aggregate: PlanAggregate,
  sum: Shares,
  [count, rows]: [Shares, number],
): Protocol<Forms> {
  const { argument, type } = aggregate;
  const scale = argument?.type.scale ?? 0;
  const largest = -type.min > type.max ? -type.min : type.max;
  const bits = yield* divideRounded(
    party,
    { sum, count },
    {
      factor: 10 ** (type.scale - scale),
      quotientBits: widthOf({ min: 0n, max: largest }),
      countBits: widthOf({ min: 0n, max: BigInt(rows) }),
    },
  );
  return { bits };
}

const words = (shares: Shares): Forms => ({ words: { form: 'arithmetic', shares } });

function* aggregateOf(
  party: Party,
  aggregate: PlanAggregate,
  { parts, reduced, rows }: { parts: Parts; reduced: Reduced; rows: number },
): Protocol<Forms> {
  const { filter, function: name } = aggregate;
  const count = filter === undefined ? reduced.count : reduced.filtered[filter];
  if (name === 'COUNT') return words(count);
  if (name === 'COUNT_DISTINCT') return words(reduced.distinct[parts.distinct.indexOf(aggregate)]);
  if (isExtreme(aggregate)) return { bits: reduced.extremes[parts.extremes.indexOf(aggregate)] };
  const shares = reduced.sums[parts.sums.findIndex((sum) => keyOf(sum) === keyOf(aggregate))];
  return name === 'SUM'
    ? { words: { form: 'wide', shares } }
    : yield* average(party, aggregate, shares, [count, rows]);
}

/**
 * The aggregates of each slot, by their position in the plan.
 * @param rows of the table, which bound every count.
 */
export function aggregatesOf(
  party: Party,
  plan: Plan,
  reduced: Reduced,
  rows: number,
): Protocol<Forms[]> {
  const made = { parts: partsOf(plan), reduced, rows };
  return together(...plan.aggregates.map((each) => aggregateOf(party, each, made)));
}
