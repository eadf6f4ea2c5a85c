import type { Plan, PlanAggregate } from '../compile/plan.js';
import { widthOf } from '../compile/types.js';
import type { Value } from '../compile/values.js';
import { partsOf } from '../execute/aggregates.js';
import { slotCount, unitOf } from '../execute/slots.js';
import type { Rules } from '../protocol/disclosure.js';
import {
  columnsFor,
  and,
  beside,
  bitToWords,
  frame,
  lanes,
  lift,
  log2,
  NOTHING,
  onePass,
  product,
  runExtreme,
  series,
  sort,
  sum,
  tournament,
  type Cost,
} from './cost.js';
import { bitsCost, conditionsCost, wordsCost } from './expressions.js';
import { rowGround } from './inputs.js';
import { membersCost, membersInPlaceCost, ownerBits } from './rules.js';

/** What is known of a run before it. */
export interface Setting {
  plan: Plan;
  rules: Rules;
  /** Rows behind the join. */
  rows: number;
  /** V is a secret. */
  masked: boolean;
}

const argumentsOf = (aggregates: readonly PlanAggregate[]): Value[] =>
  aggregates.flatMap(({ argument }) => argument ?? []);

export function evaluation({ plan, rows }: Setting): Cost {
  const ground = rowGround(plan, rows);
  const { sums, extremes } = partsOf(plan);
  const nodes = plan.where ? [plan.where, ...plan.filters] : plan.filters;
  const filters = plan.filters.length;
  return series(
    beside(
      conditionsCost(ground, nodes),
      wordsCost(
        ground,
        argumentsOf(sums).map((value) => ({ value, ring: value.ring })),
      ),
      bitsCost(
        ground,
        argumentsOf(extremes).map((value) => ({ value, width: widthOf(value.type) })),
      ),
    ),
    plan.join && plan.where ? and(1, rows) : NOTHING,
    filters > 0 && (plan.join ?? plan.where) ? and(filters, rows) : NOTHING,
  );
}

interface Sorted {
  keyBits: number;
  secondBits: number;
  carriedBits: number;
  words: number;
}

/** The sort by keys and what is told apart within them, and both frames (`arrange`). */
function arrangement({ rows, masked }: Setting, parts: Sorted): Cost {
  const { keyBits, secondBits, carriedBits } = parts;
  const key = keyBits + secondBits + (masked ? 1 : 0);
  const columns = columnsFor(keyBits + secondBits + 1 + carriedBits) + parts.words;
  return series(
    sort(key, columnsFor(key), columns, rows),
    beside(frame(keyBits, rows), frame(keyBits + secondBits, rows)),
  );
}

const widths = (plan: Plan, columns: readonly number[]): number =>
  sum(columns.map((column) => widthOf(plan.columns[column].type)));

const columnsIn = (aggregates: readonly PlanAggregate[]): number[] =>
  argumentsOf(aggregates).flatMap((value) => (value.op === 'column' ? [value.column] : []));

const extremeBits = (extremes: readonly PlanAggregate[]): number[] =>
  argumentsOf(extremes).map(({ type }) => widthOf(type));

/** Sorts that count different values, one for each column. */
function distinctCosts(setting: Setting, keys: readonly number[]): Cost[] {
  const { plan, rows } = setting;
  const keyBits = widths(plan, keys);
  return columnsIn(partsOf(plan).distinct).map((column) => {
    const secondBits = widths(plan, [column]);
    const sorted = arrangement(setting, { keyBits, secondBits, carriedBits: 0, words: 0 });
    return series(sorted, bitToWords(1, 32, rows), keys.length > 0 ? onePass(3, rows) : NOTHING);
  });
}

function sumCost({ rows }: Setting, { argument, filter }: PlanAggregate): Cost {
  const ring = argument?.ring ?? 32;
  return series(
    filter === undefined ? NOTHING : product(ring, rows),
    ring === 32 ? lift(rows) : NOTHING,
  );
}

export function groupsCost(setting: Setting): Cost {
  const { plan, rules, rows } = setting;
  const { sums, extremes } = partsOf(plan);
  const keyBits = widths(plan, plan.keys);
  const units = (unitOf(plan) ?? []).filter((column) => !plan.keys.includes(column));
  const found = extremeBits(extremes);
  const filters = plan.filters.length;
  const masked = extremes.some(({ filter }) => filter !== undefined);
  const wideFilter = sums.some(
    ({ argument, filter }) => filter !== undefined && argument?.ring === 64,
  );
  const main = series(
    arrangement(setting, {
      keyBits,
      secondBits: widths(plan, units),
      carriedBits: filters + ownerBits(rules) + sum(found),
      words: sum(argumentsOf(sums).map(({ ring }) => ring / 32)),
    }),
    beside(
      series(
        beside(
          filters > 0 ? bitToWords(filters, 32, rows) : NOTHING,
          wideFilter ? bitToWords(1, 64, rows) : NOTHING,
        ),
        beside(...sums.map((each) => sumCost(setting, each))),
      ),
      ...found.map((width) => series(masked ? and(width, rows) : NOTHING, runExtreme(width, rows))),
      membersCost(rules, rows),
    ),
    onePass(
      2 + columnsFor(keyBits + sum(found)) + filters + 2 * sums.length + members(rules),
      rows,
    ),
  );
  return beside(main, ...distinctCosts(setting, plan.keys));
}

/** Members are rows that lie as their owners brought them. */
const inPlace = ({ plan, rules }: Setting): boolean =>
  plan.join === undefined && rules.counted === 'rows';

/** Most combinations of key values that are looked at one by one (11.5, small key space). */
const MOST_COMBINATIONS = 256;

/** Whether the keys have few combinations, and all that is asked are counts and sums of rows where they lie. */
export function isSmall(setting: Setting): boolean {
  const { plan, rows } = setting;
  const { extremes, distinct } = partsOf(plan);
  const combinations = slotCount(plan, Number.MAX_SAFE_INTEGER);
  const few = combinations <= Math.min(MOST_COMBINATIONS, rows);
  return inPlace(setting) && few && extremes.length + distinct.length === 0;
}

/** One slot for each combination (`reduceSmall`). */
export function smallCost({ plan, rules, rows }: Setting, slots: number): Cost {
  const { sums } = partsOf(plan);
  const keyBits = widths(plan, plan.keys);
  const filters = rules.filters;
  const conditions = new Set(sums.map(({ filter }) => filter)).size;
  return series(
    { rounds: log2(1 + keyBits), words: slots * keyBits * lanes(rows) },
    filters > 0 ? and(slots * filters, rows) : NOTHING,
    beside(
      series(
        beside(
          ...sums.map(({ argument }) => (argument?.ring === 64 ? NOTHING : lift(rows))),
          conditions > 0 ? bitToWords(slots * conditions, 64, rows) : NOTHING,
        ),
        sums.length > 0 ? { rounds: 1, words: 2 * slots * sums.length } : NOTHING,
      ),
      membersInPlaceCost(rules, slots, rows),
    ),
  );
}

const members = (rules: Rules): number => membersCost(rules, 1).words / 2;

export function wholeCost(setting: Setting): Cost {
  const { plan, rules, rows, masked } = setting;
  const { sums, extremes } = partsOf(plan);
  const units = unitOf(plan);
  const filters = plan.filters.length;
  const counted = filters + (masked ? 1 : 0);
  const isMasked = ({ filter }: PlanAggregate): boolean => masked || filter !== undefined;
  const sorted = { keyBits: 0, secondBits: widths(plan, units ?? []), words: 0 };
  return beside(
    counted > 0 ? bitToWords(counted, 32, rows) : NOTHING,
    ...sums.map((each) =>
      series(
        beside(
          each.argument?.ring === 64 ? NOTHING : lift(rows),
          isMasked(each) ? bitToWords(1, 64, rows) : NOTHING,
        ),
        isMasked(each) ? { rounds: 1, words: 2 } : NOTHING,
      ),
    ),
    ...extremes.map((each) => {
      const width = sum(extremeBits([each]));
      return series(isMasked(each) ? and(width, rows) : NOTHING, tournament(width, rows));
    }),
    ...distinctCosts(setting, []),
    inPlace(setting)
      ? membersInPlaceCost(rules, 1, rows)
      : series(
          units
            ? arrangement(setting, { ...sorted, carriedBits: filters + ownerBits(rules) })
            : NOTHING,
          membersCost(rules, rows),
        ),
  );
}
