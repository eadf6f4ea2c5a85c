import { sortCost, sortForm, type StepCost } from '../protocol/sort.js';

/** What a step costs: rounds, and words of 32 bits that the busiest party sends. */
export type Cost = StepCost;

export const NOTHING: Cost = { rounds: 0, words: 0 };

/** One after another. */
export const series = (...costs: readonly Cost[]): Cost =>
  costs.reduce(
    (sum, { rounds, words }) => ({ rounds: sum.rounds + rounds, words: sum.words + words }),
    NOTHING,
  );

/** In the same rounds (jobs.md 11.9). */
export const beside = (...costs: readonly Cost[]): Cost =>
  costs.reduce(
    (all, { rounds, words }) => ({
      rounds: Math.max(all.rounds, rounds),
      words: all.words + words,
    }),
    NOTHING,
  );

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Columns that so many bits of a row share. */
export const columnsFor = (bits: number): number => Math.ceil(bits / 32);

/** ⌈log2 x⌉, 0 for nothing and for one. */
export const log2 = (x: number): number => (x > 1 ? Math.ceil(Math.log2(x)) : 0);

/** Words of one bit of each row. */
export const lanes = (rows: number): number => Math.ceil(rows / 32);
/** Words of the digest that goes with each opening. */
const DIGEST = 8;

/** So many bits of each row. */
const bits = (rounds: number, count: number, rows: number): Cost => ({
  rounds,
  words: count * lanes(rows),
});
/** So many words of each row. */
const words = (rounds: number, count: number, rows: number): Cost => ({
  rounds,
  words: count * rows,
});

/*
 * Steps of jobs.md 11.4 to 11.7, over `rows` rows; `width` is in bits, `count` how many values are treated side by side.
 */

export const and = (count: number, rows: number): Cost => bits(1, count, rows);
export const all = (count: number, rows: number): Cost => bits(log2(count), count - 1, rows);
export const equal = (width: number, rows: number): Cost => bits(log2(width), width - 1, rows);
export const greater = (width: number, rows: number): Cost =>
  bits(1 + log2(width), 3 * width - 3, rows);
export const isOneOf = (width: number, values: number, rows: number): Cost =>
  bits(log2(width), (width - 1) * values, rows);
export const between = (width: number, rows: number): Cost =>
  series(beside(greater(width, rows), greater(width, rows)), and(1, rows));

/** Bits that the adder computes: those that a later one reads (11.4, adder). */
function adderBits(width: number): number {
  const carries = width - 1;
  let sum = carries;
  for (let s = 1; s < carries; s *= 2) sum += carries - s + Math.max(0, carries - 2 * s);
  return sum;
}
const adder = (width: number, rows: number): Cost =>
  bits(1 + log2(width - 1), adderBits(width), rows);

/** A2B. */
export const toBits = (width: number, rows: number): Cost =>
  series(bits(1, width, rows), adder(width, rows));
/** B2A of single bits, into one of the two rings. */
export const bitToWords = (count: number, ring: 32 | 64, rows: number): Cost =>
  words(2, (ring / 16) * count, rows);
/** B2A of words: masks, adder, opening. */
export const toWords = (ring: 32 | 64, rows: number): Cost =>
  series(bits(1, ring, rows), adder(ring, rows), bits(1, ring, rows), { rounds: 0, words: DIGEST });
export const lift = (rows: number): Cost => words(9, 7, rows);
export const product = (ring: 32 | 64, rows: number): Cost => words(1, ring / 32, rows);
export const shuffle = (columns: number, rows: number): Cost => words(3, 2 * columns, rows);
export const onePass = (columns: number, rows: number): Cost => ({
  rounds: 7,
  words: (6 + 2 * columns) * rows + DIGEST,
});

/** Sort in the form that the engine takes. */
export function sort(keyBits: number, keyWords: number, columns: number, rows: number): Cost {
  if (keyBits === 0) return NOTHING;
  const size = { bits: keyBits, keyWords, words: columns };
  const cost = sortCost(size, sortForm(size, rows));
  // Each pass opens its ranks.
  return { rounds: cost.rounds, words: cost.words * rows + DIGEST * Math.ceil(keyBits / 2) };
}

export const frame = (width: number, rows: number): Cost =>
  series(bits(log2(width), Math.max(0, width - 1), rows), and(1, rows));

const levels = (rows: number, level: Cost): Cost => ({
  rounds: log2(rows) * level.rounds,
  words: log2(rows) * level.words,
});
/** A comparison, two planes and a mux on each level. */
export const runExtreme = (width: number, rows: number): Cost =>
  levels(rows, series(greater(width, rows), and(2, rows), and(width, rows)));
export const runOr = (count: number, rows: number): Cost =>
  levels(rows, series(and(count + 1, rows), and(count, rows)));
/** The payload of unique rows down the runs of their keys (11.6). */
export const carry = (width: number, rows: number): Cost =>
  levels(rows, series(and(2, rows), and(1, rows), and(width, rows)));
/** Whether any row has a bit, opened. */
export const anyRow = (rows: number): Cost =>
  series(bits(log2(lanes(rows)), 1, rows), { rounds: 6, words: 6 + DIGEST });

/** Pairs of rows, then of the better ones, and so on. */
export const tournament = (width: number, rows: number): Cost => ({
  rounds: (log2(lanes(rows)) + 5) * (2 + log2(width)),
  words: (4 * width - 3) * (lanes(rows) + 4),
});

/** Division of result slots, one pass for each bit of the quotient (11.5, AVG). */
export const division = (quotientBits: number, countBits: number, slots: number): Cost => {
  const step = series(adder(countBits + 1, slots), and(countBits, slots));
  return series(
    beside(toBits(64, slots), toBits(countBits, slots)),
    adder(65, slots),
    { rounds: quotientBits * step.rounds, words: quotientBits * step.words },
    adder(quotientBits + 2, slots),
  );
};
