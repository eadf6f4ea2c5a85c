import type { Plan, PlanJoin } from '../compile/plan.js';
import { joinUnique } from '../protocol/join.js';
import type { Protocol } from '../protocol/link.js';
import type { Party } from '../protocol/party.js';
import { planesOfWords } from '../protocol/planes.js';
import {
  join,
  publicPlane,
  trivial,
  zeros,
  type Bits,
  type Plane,
  type Shares,
} from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import { pieces } from './arrange.js';
import { padded } from './columns.js';
import { RunFinding } from './finding.js';
import { bitsOfColumns, columnsOfBits, fitted, isSigned, type Rows } from './rows.js';

/** One side on its way through the join: all bits of a row share words, words of arithmetic forms stand apart. */
interface Carried {
  bits: Column[];
  words: Column[];
}

/** All bits that a side carries, in one order. */
const bitsIn = ({ forms, owners }: Rows): Bits[] => [
  ...forms.flatMap(({ bits }) => bits ?? []),
  ...owners.map(({ index }) => index),
];

const carry = (rows: Rows): Carried => ({
  bits: columnsOfBits({ rows: rows.count, planes: bitsIn(rows).flatMap(({ planes }) => planes) }),
  words: rows.forms.flatMap(({ words }) => words ?? []),
});

/** The side with what has come through the join; words that were not carried are gone. */
function arrived(side: Rows, { bits, words }: Carried, count: number): Omit<Rows, 'valid'> {
  const widths = bitsIn(side).map(({ planes }) => planes.length);
  const { planes } = bitsOfColumns(bits, count);
  const values = Array.from(pieces(planes, widths), (own): Bits => ({ rows: count, planes: own }));
  const columns = [...words];
  return {
    count,
    forms: side.forms.map((form) => ({
      bits: form.bits && values.shift(),
      words: form.words && columns.shift(),
    })),
    owners: side.owners.map((owner) => ({
      count: owner.count,
      index: values.shift() ?? owner.index,
    })),
  };
}

/** Columns of the key of one side, in widths that hold the values of both. */
function keyOf(plan: Plan, { keys }: PlanJoin, side: 'unique' | 'other', rows: Rows): Column[] {
  const planes = keys.flatMap((pair) => {
    const { bits } = rows.forms[pair[side]];
    if (!bits) throw new Error('a key of the join is not loaded');
    const { min, kind } = plan.columns[pair[side]].type;
    return fitted(bits, pair.width, isSigned({ min }, kind)).planes;
  });
  return columnsOfBits({ rows: rows.count, planes });
}

/** 1 behind the rows of the unique side. */
function sides(party: Party, first: number, rows: number): Plane {
  const [words] = planesOfWords(new Int32Array(rows).fill(1, first), 1);
  return trivial(party, 0, words, words.length);
}

interface Part {
  shares: Shares;
  width: number;
}

const above = (columns: readonly Column[], below: (index: number) => Shares): Part[] =>
  columns.map(({ shares, width = 32 }, index) => ({ shares: join([shares, below(index)]), width }));

/**
 * Inner join on a key that one side declares as unique (jobs.md 11.6): as many rows as the other side has. Of the unique side only
 * bits are carried.
 * @throws RunFinding join_key_not_unique
 */
export function* joinTables(
  party: Party,
  plan: Plan,
  wanted: PlanJoin,
  tables: readonly Rows[],
): Protocol<Rows> {
  const unique = tables[wanted.unique];
  const other = tables[1 - wanted.unique];
  const { count } = other;
  const otherKey = keyOf(plan, wanted, 'other', other);
  const payload = carry(unique);
  const { bits, words } = carry(other);
  const found = yield* joinUnique(
    party,
    {
      keys: above(keyOf(plan, wanted, 'unique', unique), (index) => otherKey[index].shares),
      side: sides(party, unique.count, unique.count + count),
      valid: publicPlane(party, unique.count + count, true),
      payload: above(payload.bits, () => zeros(count)),
      columns: [...bits, ...words].map((column) => padded(column, unique.count)),
    },
    count,
  );
  const [{ unique: key }] = wanted.keys;
  if (!found.unique)
    throw new RunFinding('join_key_not_unique', wanted.unique, plan.columns[key].name);
  const left = payload.bits.map((column, index): Column => ({
    ...column,
    shares: found.payload[index],
  }));
  const right = {
    bits: found.columns.slice(0, bits.length),
    words: found.columns.slice(bits.length),
  };
  const both = [arrived(unique, { bits: left, words: [] }, count), arrived(other, right, count)];
  const inOrder = wanted.unique === 0 ? both : both.toReversed();
  return {
    count,
    valid: found.valid,
    forms: plan.columns.map(({ table }, index) => inOrder[table].forms[index]),
    owners: inOrder.flatMap(({ owners }) => owners),
  };
}
