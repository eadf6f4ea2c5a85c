import type { Plan } from '../compile/plan.js';
import { toArithmetic } from '../protocol/arithmetic.js';
import { disclosed, type Disclosed, type Rules } from '../protocol/disclosure.js';
import { together, type Protocol } from '../protocol/link.js';
import { disclosedByLargest } from '../protocol/many-owners.js';
import type { Party } from '../protocol/party.js';
import { and, multiply } from '../protocol/products.js';
import type { Bits, Plane } from '../protocol/shares.js';
import { multiplyWide, toWideBit } from '../protocol/wide-products.js';
import { rulesFor } from './rules.js';
import { aggregatesOf, partsOf, type Parts } from './aggregates.js';
import { isWide } from './columns.js';
import { evaluate, type Evaluated } from './evaluate.js';
import type { Slots } from './export.js';
import { conditions } from './filter.js';
import { reduceGroups } from './groups.js';
import type { Inputs } from './inputs.js';
import type { Reduced, Wanted } from './reduction.js';
import { isSigned, type Forms, type Rows } from './rows.js';
import { finiteKeys, reduceSmall, staysSmall } from './small.js';
import { reduceWhole } from './whole.js';

const bitsAt = (rows: Rows, columns: readonly number[]): Bits[] =>
  columns.map((column) => {
    const { bits } = rows.forms[column];
    if (!bits) throw new Error('a column of the plan is not loaded in bits');
    return bits;
  });

/** Columns that identify a member: the declared one, or the key of the join. */
export function unitOf({ limits, unit, join }: Plan): number[] | undefined {
  if (limits.counted === 'rows') return undefined;
  if (unit !== undefined) return [unit];
  return join?.keys.map(({ other }) => other);
}

/** Passes of the sort by the keys and what is told apart within them, two bits each. */
const passesOf = (keys: readonly Bits[]): number =>
  Math.ceil(keys.reduce((bits, { planes }) => bits + planes.length, 0) / 2);

/** Most groups that there can be: all combinations of the keys, or a group for each row. */
export function slotCount({ keys, columns }: Plan, rows: number): number {
  const most = keys
    .map((key) => columns[key].type)
    .reduce((product, { min, max }) => product * (max - min + 1n), 1n);
  return most < BigInt(rows) ? Number(most) : rows;
}

interface Prepared {
  rows: Rows;
  parts: Parts;
  evaluated: Evaluated;
  keys: Bits[];
  unit?: Bits[];
}

function wantedOf(plan: Plan, inputs: Inputs, { rows, parts, evaluated, unit }: Prepared): Wanted {
  const { valid, filters, sums, extremes } = evaluated;
  const rules = rulesFor(
    plan,
    inputs.tables.map(({ owners }) => owners.length),
  );
  return {
    rows: { count: rows.count, valid },
    owners: rules.owners.some((count) => count > 1) ? rows.owners : [],
    filters,
    sums: parts.sums.map(({ filter }, index) => ({ words: sums[index], filter })),
    extremes: parts.extremes.map(({ function: name, argument, filter }, index) => ({
      which: name === 'MIN' ? 'MIN' : 'MAX',
      signed: argument !== undefined && isSigned(argument.type),
      values: extremes[index],
      filter,
    })),
    distinct: bitsAt(
      rows,
      parts.distinct.map(({ argument }) => (argument?.op === 'column' ? argument.column : -1)),
    ),
    unit,
    rules,
  };
}

/** A filtered aggregate is zero where it is not shown, before HAVING and ORDER BY see it. */
function* masked(party: Party, value: Forms, shown?: Plane): Protocol<Forms> {
  const { words, bits } = value;
  if (!shown) return value;
  if (bits) {
    const { rows, planes } = bits;
    const kept = yield* and(
      party,
      planes,
      planes.map(() => shown),
    );
    return { bits: { rows, planes: kept } };
  }
  if (!words) return {};
  const { form, shares } = words;
  if (isWide(words)) {
    const bit = yield* toWideBit(party, shown, shares.own.length / 2);
    return { words: { form, shares: yield* multiplyWide(party, shares, bit) } };
  }
  const [bit] = yield* toArithmetic(party, [shown], shares.own.length);
  return { words: { form, shares: yield* multiply(party, shares, bit) } };
}

/** What 11.12 lets be shown of each slot. */
function* disclosure(
  party: Party,
  { count, members, owners }: Reduced,
  { rules, rows }: { rules: Rules; rows: number },
): Protocol<Disclosed> {
  if (!owners) return yield* disclosed(party, { rules, counts: members, rows });
  const group = yield* disclosedByLargest(party, rules, { count, ...owners }, rows);
  return { group, filters: [] };
}

/** Result slots with what may be shown of them: disclosure rules, masks of filters, HAVING (11.5, 11.12). */
function* shownOf(
  party: Party,
  plan: Plan,
  {
    reduced,
    rows,
    rules,
    hashes,
  }: { reduced: Reduced; rows: number; rules: Rules } & Pick<Inputs, 'hashes'>,
): Protocol<Slots> {
  const [values, { group, filters }] = yield* together(
    aggregatesOf(party, plan, reduced, rows),
    disclosure(party, reduced, { rules, rows }),
  );
  const [[live], ...aggregates] = yield* together(
    and(party, [reduced.valid], [group]),
    ...plan.aggregates.map(({ filter }, index) =>
      masked(party, values[index], filter === undefined ? undefined : filters[filter]),
    ),
  );
  const value: Slots['value'] = (source) => {
    if (source.op === 'key') return { bits: reduced.keys[source.key] };
    return source.op === 'aggregate' ? aggregates[source.aggregate] : {};
  };
  const slots = { count: reduced.slots, valid: live, value, shown: filters };
  if (!plan.having) return slots;
  const leaves = { count: reduced.slots, leaf: value };
  const [passes] = yield* conditions({ party, leaves, hashes }, [plan.having]);
  const [valid] = yield* and(party, [live], [passes]);
  return { ...slots, valid };
}

/** Aggregates of the rows, in the form that the estimate favours. */
function reduce(
  party: Party,
  plan: Plan,
  keys: readonly Bits[],
  wanted: Wanted,
): Protocol<Reduced> {
  if (plan.shape !== 'groups') return reduceWhole(party, wanted);
  const { count } = wanted.rows;
  const finite = finiteKeys(plan, keys, count);
  return finite && staysSmall(finite, wanted)
    ? reduceSmall(party, finite, wanted)
    : reduceGroups(party, keys, wanted, slotCount(plan, count));
}

/** Groups, or the whole as one group, as far as the rules show them. */
export function* slotsOf(party: Party, plan: Plan, rows: Rows, inputs: Inputs): Protocol<Slots> {
  const parts = partsOf(plan);
  const keys = bitsAt(rows, plan.keys);
  const units = unitOf(plan);
  const unit =
    units &&
    bitsAt(
      rows,
      units.filter((column) => !plan.keys.includes(column)),
    );
  const passes = plan.shape === 'groups' ? passesOf([...keys, ...(unit ?? [])]) : 0;
  const { hashes } = inputs;
  const evaluated = yield* evaluate(party, plan, rows, { parts, passes, hashes });
  const wanted = wantedOf(plan, inputs, { rows, parts, evaluated, keys, unit });
  const reduced = yield* reduce(party, plan, keys, wanted);
  return yield* shownOf(party, plan, { reduced, rows: rows.count, rules: wanted.rules, hashes });
}
