import { digitPass, scattered } from './digits.js';
import type { Protocol } from './link.js';
import { open } from './open.js';
import type { Party } from './party.js';
import { planeOf } from './planes.js';
import { addWords, not, trivial, type Plane, type Shares } from './shares.js';
import { rowsOf, shuffle, type Column } from './shuffle.js';

/** One bit of the key: a bit of a boolean column; flipped for the top bit of signed keys, descending keys and ¬V. */
export interface KeyBit {
  column: number;
  bit: number;
  flipped: boolean;
}

/** The bits of the next digit, from the columns as they lie now. */
function digitOf(party: Party, key: readonly KeyBit[], columns: readonly Column[]): Plane[] {
  return key.map(({ column, bit, flipped }) => {
    const { own, next } = columns[column].shares;
    const plane = { own: planeOf(own, bit), next: planeOf(next, bit) };
    return flipped ? not(party, plane) : plane;
  });
}

/** Bits of the digits of a sort: three take fewer rounds and, from four words per row on, fewer words. */
export type DigitBits = 2 | 3;

/** Size of the next digit: no single bit is left over where two digits of two bits, or one of three, can be. */
function digitSize(left: number, digit: DigitBits): number {
  if (digit === 2) return left === 3 ? 3 : Math.min(2, left);
  return left === 4 ? 2 : Math.min(3, left);
}

/** Digits from the low end; an odd number of bits ends in a digit of three, a single bit is one of its own. */
export function digitsOf<T>(key: readonly T[], digit: DigitBits): T[][] {
  const digits: T[][] = [];
  for (let at = 0; at < key.length;) {
    const size = digitSize(key.length - at, digit);
    digits.push(key.slice(at, at + size));
    at += size;
  }
  return digits;
}

/**
 * Radix sort (11.5), stable: rows of all columns by a key of any bits of boolean columns.
 * @param key from the lowest bit to the highest; ¬V, where dead rows are to come last, is the highest.
 */
export function* radixSort(
  party: Party,
  columns: readonly Column[],
  key: readonly KeyBit[],
  digit: DigitBits,
): Protocol<Column[]> {
  let sorted = [...columns];
  for (const bits of digitsOf(key, digit))
    sorted = yield* digitPass(party, digitOf(party, bits, sorted), sorted);
  return sorted;
}

/** 1 to n, public: what the row number and the position behind a sort are. */
const numbers = (party: Party, rows: number): Column => {
  const words = Int32Array.from({ length: rows }, (_, i) => i + 1);
  return { form: 'arithmetic', shares: trivial(party, 0, words, rows) };
};

/** Where each row goes, secret: row numbers that were sorted are opened in a secret order, their new positions placed by them. */
function* ranks(party: Party, sorted: Column, positions: Column): Protocol<Shares> {
  const [from, to] = yield* shuffle(party, [sorted, positions]);
  return scattered(to, yield* open(from.shares, addWords)).shares;
}

/**
 * The same for wide tables (11.5): only the columns of the key are sorted, beside the row number; then all columns move
 * once. 8 rounds and 8 + 2c words more than the sort of the narrow table.
 */
export function* wideSort(
  party: Party,
  columns: readonly Column[],
  key: readonly KeyBit[],
  digit: DigitBits,
): Protocol<Column[]> {
  const rows = rowsOf(columns[0]);
  const used = [...new Set(key.map(({ column }) => column))];
  const narrow = key.map((bit) => ({ ...bit, column: used.indexOf(bit.column) }));
  const sorted = yield* radixSort(
    party,
    [...used.map((column) => columns[column]), numbers(party, rows)],
    narrow,
    digit,
  );
  const rank = yield* ranks(party, sorted[used.length], numbers(party, rows));
  const [places, ...moved] = yield* shuffle(party, [
    { form: 'arithmetic', shares: rank },
    ...columns,
  ]);
  const order = yield* open(places.shares, addWords);
  return moved.map((column) => scattered(column, order));
}

/** How a sort is carried out. */
export interface SortForm {
  digit: DigitBits;
  /** Only the columns of the key go through the passes. */
  wide: boolean;
}

/** What a step costs: rounds, and words that a party sends for each row. */
export interface StepCost {
  rounds: number;
  words: number;
}

const PASSES: Record<number, StepCost> = {
  1: { rounds: 7, words: 6 },
  2: { rounds: 8, words: 10 },
  3: { rounds: 9, words: 18 },
};

/** What a sort is about: bits of the key, words of its columns, words of all columns. */
export interface SortSize {
  bits: number;
  keyWords: number;
  words: number;
}

/** Cost of a sort (11.5). */
export function sortCost({ bits, keyWords, words }: SortSize, form: SortForm): StepCost {
  const carried = form.wide ? keyWords + 1 : words;
  const passes = digitsOf(Array.from({ length: bits }), form.digit).map(
    ({ length }) => PASSES[length],
  );
  const more = form.wide ? { rounds: 8, words: 8 + 2 * words } : { rounds: 0, words: 0 };
  return passes.reduce(
    (sum, pass) => ({
      rounds: sum.rounds + pass.rounds,
      words: sum.words + pass.words + 2 * carried,
    }),
    more,
  );
}

const FORMS: readonly SortForm[] = [
  { digit: 2, wide: false },
  { digit: 3, wide: false },
  { digit: 2, wide: true },
  { digit: 3, wide: true },
];

/** Nanoseconds of a step (jobs.md 9): 8 ns and 10 Gbit/s for each byte, 0.3 ms for each round. */
export const timeOf = ({ rounds, words }: StepCost, rows: number): number =>
  300_000 * rounds + 4 * 8.8 * words * rows;

/** The form that takes the least time: all parties choose alike, from what is public. */
export function sortForm(size: SortSize, rows: number): SortForm {
  const time = (form: SortForm): number => timeOf(sortCost(size, form), rows);
  return FORMS.reduce((best, form) => (time(form) < time(best) ? form : best));
}

const wordsOf = ({ form }: Column): number => (form === 'wide' ? 2 : 1);

/** What `sort` is about for columns and a key. */
export function sortSize(columns: readonly Column[], key: readonly KeyBit[]): SortSize {
  const used = new Set(key.map(({ column }) => column));
  return {
    bits: key.length,
    keyWords: used.size,
    words: columns.reduce((sum, column) => sum + wordsOf(column), 0),
  };
}

/**
 * Rows of all columns in the order of a key of any bits of boolean columns, stable, in the form that the estimate favours.
 * @param key from the lowest bit to the highest; ¬V, where dead rows are to come last, is the highest.
 */
export function* sort(
  party: Party,
  columns: readonly Column[],
  key: readonly KeyBit[],
): Protocol<Column[]> {
  const { digit, wide } = sortForm(sortSize(columns, key), rowsOf(columns[0]));
  return yield* (wide ? wideSort : radixSort)(party, columns, key, digit);
}
