import fc from 'fast-check';
import { toBits } from '../src/protocol/planes.js';
import type { Bits, Shares } from '../src/protocol/shares.js';
import { random, share, words, type Outcome, type Three } from './three.js';

const SIZES = [1, 31, 32, 33, 100];
/** Rows for counting: digests and unused lanes vanish beside them. */
export const MANY = 4096;
/** The low bits of a word. */
export const mask = (width: number): number => (width === 32 ? -1 : (1 << width) - 1);

interface Case {
  seed: number;
  rows: number;
  width: number;
}

/** Columns of any length and width. */
export const cases = fc.record({
  seed: fc.integer(),
  rows: fc.constantFrom(...SIZES),
  width: fc.integer({ min: 1, max: 32 }),
});

/** Two random columns in which equal values, and values that differ in one bit, are frequent. */
export function columns({ seed, rows, width }: Case): [Int32Array, Int32Array, () => number] {
  const next = random(seed);
  const x = words(rows, next).map((word) => word & mask(width));
  const y = x.map((word, i) => {
    if (i % 3 === 0) return word;
    return (i % 3 === 1 ? word ^ (1 << (next() >>> 27)) : next()) & mask(width);
  });
  return [x, y, next];
}

/** The bits of what one party holds. */
export const bits = (shares: Three<Shares>, index: number, width: number): Bits =>
  toBits(shares[index], width);
/** Holds a step's count to the table of 11.4: rounds exactly, words per row at most 5 % above. */
export function expectCost(
  { rounds, busiest }: Outcome<unknown>,
  table: { rounds: number; words: number },
): void {
  expect(rounds).toBe(table.rounds);
  expect(busiest / MANY).toBeLessThanOrEqual(table.words * 1.05);
}

/** Two columns of so many rows that counts of words are exact. */
export function many(form: 'boolean' | 'arithmetic'): {
  x: Int32Array;
  y: Int32Array;
  xs: Three<Shares>;
  ys: Three<Shares>;
} {
  const [x, y, next] = columns({ seed: 7, rows: MANY, width: 32 });
  return { x, y, xs: share(form, x, next), ys: share(form, y, next) };
}
