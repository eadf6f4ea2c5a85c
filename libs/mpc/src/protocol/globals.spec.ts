import fc from 'fast-check';
import {
  anyBig,
  bigOf,
  parties,
  random,
  reveal,
  share,
  shareBits,
  simulate,
  wideWords,
  words,
  bitsToWide,
  wideToBits,
} from '../../test/three.js';
import { toArithmetic } from './arithmetic.js';
import { divideRounded } from './division.js';
import { frame } from './groups.js';
import { globalExtreme, globalSum } from './globals.js';
import { signExtended, toBits } from './planes.js';
import { total } from './sums.js';

const cases = fc.record({
  seed: fc.integer(),
  rows: fc.constantFrom(1, 2, 31, 32, 33, 100, 321),
});

describe('jobs.md 11.5: global aggregates', () => {
  it('COUNT: 2 rounds, and SUM of 32-bit and of 64-bit values over chosen rows and over all', () => {
    fc.assert(
      fc.property(cases, ({ seed, rows }) => {
        const next = random(seed);
        const bits = [...words(rows, next)].map((word) => word & 1);
        const narrow = words(rows, next);
        const wide = Array.from({ length: rows }, () => anyBig(next));
        const bit = shareBits(bits, next);
        const forms = [
          { form: 'arithmetic', shares: share('arithmetic', narrow, next) },
          { form: 'wide', shares: share('wide', wideWords(wide), next) },
        ] as const;
        const counted = simulate(parties(seed), function* (party, i) {
          const [ones] = yield* toArithmetic(party, [bit[i]], rows);
          return total({ form: 'arithmetic', shares: ones });
        });
        expect([...reveal('arithmetic', counted.results)]).toEqual([bits.reduce((a, b) => a + b)]);
        expect([counted.rounds, counted.busiest]).toEqual([2, 2 * rows]);
        const sums = forms.flatMap(({ form, shares }) =>
          [true, false].map((chosen) => {
            const { results, rounds } = simulate(parties(seed), (party, i) =>
              globalSum(party, { form, shares: shares[i] }, chosen ? bit[i] : undefined),
            );
            return [bigOf(reveal('wide', results))[0], rounds];
          }),
        );
        const plain = (values: readonly bigint[], chosen: boolean): bigint =>
          values
            .filter((_, i) => !chosen || bits[i] === 1)
            .reduce((a, b) => BigInt.asIntN(64, a + b), 0n);
        const small = Array.from(narrow, BigInt);
        expect(sums).toEqual([
          [plain(small, true), 10],
          [plain(small, false), 9],
          [plain(wide, true), 3],
          [plain(wide, false), 0],
        ]);
      }),
      { numRuns: 20 },
    );
  });

  it.each(['MIN', 'MAX'] as const)(
    '%s over chosen rows, any width, signed and unsigned',
    (which) => {
      fc.assert(
        fc.property(
          cases,
          fc.integer({ min: 1, max: 64 }),
          fc.boolean(),
          ({ seed, rows }, width, signed) => {
            const next = random(seed);
            const cut = (bits: number, value: bigint): bigint =>
              signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
            const values = Array.from({ length: rows }, () => cut(width, anyBig(next)));
            const bits = [...words(rows, next)].map((word) => word & 1);
            const bit = shareBits(bits, next);
            const xs = share('boolean', wideWords(values), next);
            const of = (chosen: boolean): { value: bigint; rounds: number } => {
              const { results, rounds } = simulate(parties(seed), function* (party, i) {
                const found = yield* globalExtreme(
                  party,
                  wideToBits(xs[i], width),
                  { which, signed },
                  chosen ? bit[i] : undefined,
                );
                return bitsToWide(signExtended(found, 64, signed));
              });
              const [value] = bigOf(reveal('boolean', results));
              return { value: cut(64, value), rounds };
            };
            const plain = (list: readonly bigint[]): bigint =>
              list.reduce((a, b) => ((which === 'MIN') === a < b ? a : b));
            const levels = Math.ceil(Math.log2(Math.max(32, rows)));
            const found = of(false);
            expect(found.value).toBe(plain(values));
            expect(found.rounds).toBeLessThanOrEqual(levels * (2 + Math.ceil(Math.log2(width))));
            const chosen = values.filter((_, i) => bits[i] === 1);
            if (chosen.length > 0) expect(of(true).value).toBe(plain(chosen));
          },
        ),
        { numRuns: 15 },
      );
    },
  );
});

describe('jobs.md 11.5: COUNT DISTINCT', () => {
  it('is the number of different values among the live rows, per group by its sums', () => {
    fc.assert(
      fc.property(cases, fc.double({ min: 0, max: 1, noNaN: true }), ({ seed, rows }, part) => {
        const next = random(seed);
        const live = Math.round(part * rows);
        const values = words(rows, next).map((word) => word & 15);
        values.subarray(0, live).sort();
        const valid = shareBits(
          Array.from({ length: rows }, (_, i) => Number(i < live)),
          next,
        );
        const xs = share('boolean', values, next);
        const { results, rounds } = simulate(parties(seed), function* (party, i) {
          const { last } = yield* frame(party, toBits(xs[i], 4).planes, valid[i], rows);
          const [shares] = yield* toArithmetic(party, [last], rows);
          return total({ form: 'arithmetic', shares });
        });
        expect([...reveal('arithmetic', results)]).toEqual([
          new Set(values.subarray(0, live)).size,
        ]);
        expect(rounds).toBe(3 + 2);
      }),
      { numRuns: 20 },
    );
  });
});

describe('jobs.md 11.5: AVG', () => {
  const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
  /** Half away from zero. */
  const rounded = (sum: bigint, count: bigint): bigint => {
    const quotient = (magnitude(sum) + count / 2n) / count;
    return sum < 0n ? -quotient : quotient;
  };

  it('is the exact quotient, rounded half away from zero for both signs', () => {
    const slots = fc.array(
      fc.record({
        count: fc.integer({ min: 1, max: 70_000 }),
        mean: fc.double({ min: -1, max: 1, noNaN: true }),
        off: fc.integer({ min: -2, max: 2 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(
        fc.integer(),
        slots,
        fc.constantFrom(1, 10, 100, 10_000),
        (seed, list, factor) => {
          const next = random(seed);
          const largest = 2n ** 31n;
          const counts = list.map(({ count }) => BigInt(count));
          const sums = list.map(({ mean, off }, i) => {
            // Halves are where rounding shows.
            const near = (BigInt(Math.trunc(mean * 2 ** 30)) * counts[i]) / 2n + BigInt(off);
            const bound = largest * counts[i];
            return near > bound ? bound : near;
          });
          const sum = share('wide', wideWords(sums), next);
          const count = share('arithmetic', Int32Array.from(counts, Number), next);
          const quotientBits = (largest * BigInt(factor)).toString(2).length;
          const { results, rounds } = simulate(parties(seed), function* (party, i) {
            const bits = yield* divideRounded(
              party,
              { sum: sum[i], count: count[i] },
              { factor, quotientBits, countBits: 17 },
            );
            return bitsToWide(signExtended(bits, 64, true));
          });
          expect(bigOf(reveal('boolean', results))).toEqual(
            sums.map((value, i) => rounded(value * BigInt(factor), counts[i])),
          );
          expect(rounds).toBeLessThanOrEqual(29 + 7 * quotientBits);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('-7/2, 7/2, 5/3, -5/3, 4/3, 0/9 and the largest', () => {
    const sums = [-7n, 7n, 5n, -5n, 4n, 0n, (2n ** 31n - 1n) * 5n, -(2n ** 31n) * 5n];
    const counts = [2, 2, 3, 3, 3, 9, 5, 5];
    const next = random(1);
    const sum = share('wide', wideWords(sums), next);
    const count = share('arithmetic', Int32Array.from(counts), next);
    const { results } = simulate(parties(1), function* (party, i) {
      const bits = yield* divideRounded(
        party,
        { sum: sum[i], count: count[i] },
        { factor: 1, quotientBits: 32, countBits: 4 },
      );
      return bitsToWide(signExtended(bits, 64, true));
    });
    const expected = [-4n, 4n, 2n, -2n, 1n, 0n, 2n ** 31n - 1n, -(2n ** 31n)];
    expect(bigOf(reveal('boolean', results))).toEqual(expected);
  });
});
