import type { Plan, PlanColumn } from '../compile/plan.js';
import { widthOf } from '../compile/types.js';
import type { Party } from '../protocol/party.js';
import { planesOfWords, signExtended, toBits, toWords } from '../protocol/planes.js';
import { trivial, type Bits, type Plane, type Shares, type Wide } from '../protocol/shares.js';
import type { Column } from '../protocol/shuffle.js';
import { flattened } from '../protocol/wide.js';
import type { ColumnInput, TableInput } from './inputs.js';

/** A column in the forms that were loaded or made: live bits, and words of one of the two rings. */
export interface Forms {
  bits?: Bits;
  words?: Column;
}

/** The owners of one table, if there are at least two. */
export interface Owners {
  count: number;
  /** Index of the owner of each row. */
  index: Bits;
  /** Rows of each owner, while they lie as they were brought. */
  rows?: readonly number[];
}

/** Rows of a table, or of two that were joined. */
export interface Rows {
  count: number;
  /** Absent while all rows are live, which is public. */
  valid?: Plane;
  /** By position in `plan.columns`. */
  forms: readonly Forms[];
  /** For each table whose owners are told apart. */
  owners: readonly Owners[];
}

/** Sign of the narrow form of a value: two's complement where something may be negative. */
export const isSigned = ({ min }: { min: bigint }, kind?: string): boolean =>
  min < 0n && kind !== 'hash';

/** The same value in another width that holds it. */
export function fitted(bits: Bits, width: number, signed: boolean): Bits {
  const { rows, planes } = signExtended(bits, width, signed);
  return { rows, planes: planes.slice(0, width) };
}

/** A public value in each row, as words of a ring. */
export function publicWords(party: Party, rows: number, value: bigint, ring: 32 | 64): Column {
  const low = new Int32Array(rows).fill(Number(BigInt.asIntN(32, value)));
  if (ring === 32) return { form: 'arithmetic', shares: trivial(party, 0, low, rows) };
  const words = new Int32Array(2 * rows).fill(Number(BigInt.asIntN(32, value >> 32n)), rows);
  words.set(low);
  return { form: 'wide', shares: trivial(party, 0, words, 2 * rows) };
}

const isWide = (shares: Shares | Wide): shares is Wide => 'low' in shares;

/** All bits of a boolean form. */
export function wholeBits(shares: Shares | Wide): Bits {
  if (!isWide(shares)) return toBits(shares, 32);
  const [low, high] = [toBits(shares.low, 32), toBits(shares.high, 32)];
  return { rows: low.rows, planes: [...low.planes, ...high.planes] };
}

/** The arithmetic form of a column as it was loaded. */
export function wordsOfInput({ arithmetic }: ColumnInput): Column | undefined {
  if (!arithmetic) return undefined;
  return isWide(arithmetic)
    ? { form: 'wide', shares: flattened(arithmetic) }
    : { form: 'arithmetic', shares: arithmetic };
}

/** The forms of a column, of the boolean one the live bits: values are within the declared range, which stage D has checked. */
function loaded({ type }: PlanColumn, input: ColumnInput): Forms {
  const bits = input.boolean && fitted(wholeBits(input.boolean), widthOf(type), false);
  return { bits, words: wordsOfInput(input) };
}

/** Bits of a number below a bound; at least one. */
const indexWidth = (count: number): number => Math.max(1, 32 - Math.clz32(count - 1));

/** Owner of each row, public, in a form that can move with the rows. */
function ownersOf(party: Party, { rows, owners }: TableInput): Owners[] {
  const count = owners.length;
  if (count < 2) return [];
  const words = new Int32Array(rows);
  let at = 0;
  owners.forEach((own, index) => words.fill(index, at, (at += own)));
  const planes = planesOfWords(words, indexWidth(count));
  const index = planes.map((plane) => trivial(party, 0, plane, plane.length));
  return [{ count, index: { rows, planes: index }, rows: owners }];
}

/** The rows of one table of the plan, as they were shared. */
export function rowsOfTable(party: Party, plan: Plan, table: number, input: TableInput): Rows {
  const forms = plan.columns.map((column) =>
    column.table === table ? loaded(column, input.columns.get(column.name) ?? {}) : {},
  );
  return { count: input.rows, forms, owners: ownersOf(party, input) };
}

/** Bits as columns of at most 32 of them, which is how they move through sorts. */
export function columnsOfBits({ rows, planes }: Bits): Column[] {
  return Array.from({ length: Math.ceil(planes.length / 32) }, (_, k) => {
    const part = planes.slice(32 * k, 32 * k + 32);
    return { form: 'boolean', width: part.length, shares: toWords({ rows, planes: part }) };
  });
}

/** The bits that `columnsOfBits` has spread over columns. */
export const bitsOfColumns = (columns: readonly Column[], rows: number): Bits => ({
  rows,
  planes: columns.flatMap(({ shares, width }) => toBits(shares, width ?? 32).planes),
});
