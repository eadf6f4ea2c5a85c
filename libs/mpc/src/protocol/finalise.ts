import { toArithmetic } from './arithmetic.js';
import { together, type Protocol } from './link.js';
import type { Party } from './party.js';
import { lanes, toBits, toWords } from './planes.js';
import { and, multiply, reshare, zeroStreams } from './products.js';
import { checkWidth, xorWords, type Plane, type Shares } from './shares.js';
import { shuffle, type Column } from './shuffle.js';
import { multiplyWide, toWideBit } from './wide-products.js';

export interface Finalised {
  valid: Shares;
  columns: Column[];
}

/** V in the forms in which columns are multiplied with it; a form that no column has is not made. */
interface Masks {
  bit: Plane;
  arithmetic?: Shares;
  wide?: Shares;
}

function* nothing(): Protocol<undefined> {}

function* masksOf(
  party: Party,
  valid: Plane,
  columns: readonly Column[],
  rows: number,
): Protocol<Masks> {
  const has = (form: Column['form']): boolean => columns.some((column) => column.form === form);
  const [words, wide] = yield* together(
    has('arithmetic') ? toArithmetic(party, [valid], rows) : nothing(),
    has('wide') ? toWideBit(party, valid, rows) : nothing(),
  );
  return { bit: valid, arithmetic: words?.[0], wide };
}

/** The column where V is 1, zero elsewhere, in a sharing that is new. */
function* masked(party: Party, column: Column, masks: Masks): Protocol<Column> {
  const { form, shares, width = 32 } = column;
  if (form === 'arithmetic' && masks.arithmetic)
    return { form, shares: yield* multiply(party, shares, masks.arithmetic) };
  if (form === 'wide' && masks.wide)
    return { form, shares: yield* multiplyWide(party, shares, masks.wide) };
  const { rows, planes } = toBits(shares, width);
  const kept = yield* and(
    party,
    planes,
    planes.map(() => masks.bit),
  );
  return { form, width, shares: toWords({ rows, planes: kept }) };
}

/** A sharing of the same bits that tells nothing of the steps before: slot i ⊕ α_i. 1 round, 1 word. */
function* renewed(party: Party, plane: Plane): Protocol<Plane> {
  const [f, g] = zeroStreams(party, plane.own.length);
  return yield* reshare(xorWords(plane.own, xorWords(f, g)));
}

/**
 * Finalise before open (11.7): dead slots become zero in every column, the order of slots tells nothing unless it was asked
 * for, and no slot is one that an earlier step made alone. What comes out is what a party exports.
 * @param ordered ORDER BY or LIMIT has shuffled and placed the slots already.
 * @throws ProtocolError for a boolean word with bits above its width.
 */
export function* finalise(
  party: Party,
  { valid, columns }: { valid: Plane; columns: readonly Column[] },
  { rows, ordered }: { rows: number; ordered: boolean },
): Protocol<Finalised> {
  const masks = yield* masksOf(party, valid, columns, rows);
  const [bit, ...kept] = yield* together(
    renewed(party, valid),
    ...columns.map((column) => masked(party, column, masks)),
  );
  const flag: Column = { form: 'boolean', width: 1, shares: rowsOfBit(bit, rows) };
  const all = [flag, ...kept];
  const result = ordered ? all : yield* shuffle(party, all);
  for (const { form, shares, width = 32 } of result)
    if (form === 'boolean') checkWidth(shares, width);
  const [first, ...columnsOut] = result;
  return { valid: first.shares, columns: columnsOut };
}

/** A bit of each row as a word; lanes behind the last row are left out. */
const rowsOfBit = (plane: Plane, rows: number): Shares => ({
  own: lanes(plane.own, rows),
  next: lanes(plane.next, rows),
});
