import type { Plan } from '../compile/plan.js';
import { widthOf } from '../compile/types.js';
import type { Value } from '../compile/values.js';
import { together, type Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { and } from '../protocol/products.js';
import type { Bits, Plane } from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import type { Parts } from './aggregates.js';
import { conditions } from './filter.js';
import { isWide } from './columns.js';
import type { Forms, Rows } from './rows.js';
import { bitsOf, wordsOf, type Leaves, type WantedWords } from './values.js';

/** What the row expressions of a query are in each row. */
export interface Evaluated {
  valid?: Plane;
  /** Within the live rows. */
  filters: Plane[];
  sums: Column[];
  extremes: Bits[];
}

/** Most digit passes of a sort in which two words of a column move for less than a lift costs later (11.4, 11.5). */
const FEW_PASSES = 3;

function isLoadedWide(value: Value, forms: readonly Forms[]): boolean {
  if (value.op === 'constant') return true;
  if (value.op === 'column') {
    const { words } = forms[value.column];
    return words !== undefined && isWide(words);
  }
  if (value.op === 'negate') return isLoadedWide(value.operand, forms);
  return 'left' in value && [value.left, value.right].every((side) => isLoadedWide(side, forms));
}

/** Sums are made in 64 bits: of values that came so where they need not move far, else of those that are lifted after the sort. */
function summand(argument: Value, forms: readonly Forms[], passes: number): WantedWords {
  const wide = passes <= FEW_PASSES && isLoadedWide(argument, forms);
  return { value: argument, ring: wide ? 64 : argument.ring };
}

function argumentOf({ argument }: { argument?: Value }): Value {
  if (!argument) throw new Error('an aggregate has no argument');
  return argument;
}

/** The rows that are left, and the filters within them. */
function* within(
  party: Party,
  rows: Rows,
  where: Plane | undefined,
  filters: readonly Plane[],
): Protocol<Pick<Evaluated, 'valid' | 'filters'>> {
  const both = rows.valid && where ? yield* and(party, [rows.valid], [where]) : [];
  const valid = both[0] ?? rows.valid ?? where;
  if (!valid) return { filters: [...filters] };
  const live = yield* and(
    party,
    filters,
    filters.map(() => valid),
  );
  return { valid, filters: live };
}

/**
 * WHERE, filters and arguments of aggregates, which share their rounds (jobs.md 11.9).
 * @param passes of the sort by which the rows will move; 0 where they stay.
 */
export function* evaluate(
  party: Party,
  plan: Plan,
  rows: Rows,
  { parts, passes, hashes }: { parts: Parts; passes: number; hashes?: ReadonlyMap<string, bigint> },
): Protocol<Evaluated> {
  const leaves: Leaves = {
    count: rows.count,
    leaf: (source) => (source.op === 'column' ? rows.forms[source.column] : {}),
  };
  const nodes = plan.where ? [plan.where, ...plan.filters] : plan.filters;
  const [holds, sums, extremes] = yield* together(
    conditions({ party, leaves, hashes }, nodes),
    wordsOf(
      party,
      leaves,
      parts.sums.map((sum) => summand(argumentOf(sum), rows.forms, passes)),
    ),
    bitsOf(
      party,
      leaves,
      parts.extremes.map(argumentOf).map((value) => ({ value, width: widthOf(value.type) })),
    ),
  );
  const where = plan.where && holds[0];
  const filters = plan.where ? holds.slice(1) : holds;
  return { ...(yield* within(party, rows, where, filters)), sums, extremes };
}
