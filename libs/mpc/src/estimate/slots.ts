import type { Plan, PlanAggregate } from '../compile/plan.js';
import { widthOf } from '../compile/types.js';
import { fileColumns } from '../execute/results.js';
import {
  columnsFor,
  and,
  beside,
  bitToWords,
  division,
  NOTHING,
  product,
  series,
  shuffle,
  sort,
  sum,
  type Cost,
} from './cost.js';
import { bitsCost, conditionsCost, type Ground, type LeafForms } from './expressions.js';
import { rowGround } from './inputs.js';
import type { Setting } from './reduction.js';
import { disclosedCost } from './rules.js';

/** Forms of keys and aggregates on result slots. */
const slotGround = (plan: Plan, slots: number): Ground => ({
  rows: slots,
  leaf: (source): LeafForms => {
    if (source.op !== 'aggregate') return { bits: true };
    const { function: name } = plan.aggregates[source.aggregate];
    if (name === 'SUM') return { bits: false, words: 64 };
    return name === 'COUNT' || name === 'COUNT_DISTINCT'
      ? { bits: false, words: 32 }
      : { bits: true };
  },
});

function averageCost({ rows }: Setting, { type }: PlanAggregate, slots: number): Cost {
  const largest = -type.min > type.max ? -type.min : type.max;
  const countBits = widthOf({ min: 0n, max: BigInt(rows) });
  return division(widthOf({ min: 0n, max: largest }), countBits, slots);
}

export function slotsCost(setting: Setting, slots: number): Cost {
  const { plan, rules, rows } = setting;
  const averages = plan.aggregates.filter(({ function: name }) => name === 'AVG');
  const filtered = plan.aggregates.filter(({ filter }) => filter !== undefined).length;
  const masks = series(bitToWords(filtered, 64, slots), product(64, filtered * slots));
  return series(
    beside(
      ...averages.map((each) => averageCost(setting, each, slots)),
      disclosedCost(rules, rows, slots),
    ),
    beside(and(1, slots), filtered > 0 ? masks : NOTHING),
    plan.having
      ? series(conditionsCost(slotGround(plan, slots), [plan.having]), and(1, slots))
      : NOTHING,
  );
}

/** Words of a row of the result. */
const fileWords = (plan: Plan): number =>
  sum(fileColumns(plan).map(({ bits, validity }) => bits / 32 + (validity ? 1 : 0)));

export function orderCost(plan: Plan, slots: number): Cost {
  if (plan.order.length === 0 && plan.limit === undefined) return NOTHING;
  const files = fileColumns(plan);
  const keys = plan.order.flatMap(({ output }) => {
    const file = files.find(({ name }) => name === plan.outputs[output].name);
    return file ? [{ ...file, width: widthOf(file.type) }] : [];
  });
  const ground = plan.shape === 'rows' ? rowGround(plan, slots) : slotGround(plan, slots);
  const key = 1 + sum(keys.map(({ width }) => width));
  const columns = columnsFor(key) + fileWords(plan);
  return series(
    bitsCost(
      ground,
      keys.map(({ source, type, bits, width }) => ({
        value: { ...source, type, ring: bits },
        width,
      })),
    ),
    shuffle(columns, slots),
    sort(key, columnsFor(key), columns, slots),
  );
}

export function finaliseCost(plan: Plan, slots: number): Cost {
  const files = fileColumns(plan);
  const has = (bits: 32 | 64): boolean =>
    files.some((file) => file.form === 'arithmetic' && file.bits === bits);
  const ordered = plan.order.length > 0 || plan.limit !== undefined;
  return series(
    beside(
      has(32) ? bitToWords(1, 32, slots) : NOTHING,
      has(64) ? bitToWords(1, 64, slots) : NOTHING,
    ),
    { rounds: 1, words: fileWords(plan) * slots },
    ordered ? NOTHING : shuffle(1 + fileWords(plan), slots),
  );
}
