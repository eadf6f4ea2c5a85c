import fc from 'fast-check';
import {
  bigOf,
  parties,
  random,
  reveal,
  revealBits,
  share,
  shareBits,
  simulate,
  words,
} from '../../test/three.js';
import { lift, toArithmetic } from './arithmetic.js';
import { combinations } from './combinations.js';
import { together } from './link.js';
import { toBits } from './planes.js';
import { total } from './sums.js';
import { flattened } from './wide.js';
import { dotWide, toWideBit } from './wide-products.js';

const ROWS = [1, 40, 100];
const cases = fc.record({ seed: fc.integer(), rows: fc.constantFrom(...ROWS) });

describe('jobs.md 11.5: small key space', () => {
  it('each combination has the live rows with its keys, in the order of the keys', () => {
    fc.assert(
      fc.property(cases, ({ seed, rows }) => {
        const next = random(seed);
        const [a, b] = [1, 3].map((most) => words(rows, next).map((word) => word & most));
        const live = [...words(rows, next)].map((word) => word & 1);
        const [as, bs] = [a, b].map((column) => share('boolean', column, next));
        const valid = shareBits(live, next);
        const { results, rounds } = simulate(parties(seed), (party, i) =>
          combinations(
            party,
            [
              { bits: toBits(as[i], 1), values: [0n, 1n] },
              { bits: toBits(bs[i], 2), values: [0n, 1n, 3n] },
            ],
            valid[i],
          ),
        );
        const pairs = [0, 1].flatMap((x) => [0, 1, 3].map((y) => [x, y]));
        pairs.forEach(([x, y], slot) =>
          expect(
            revealBits(
              results.map((planes) => planes[slot]),
              rows,
            ),
          ).toEqual(live.map((bit, i) => bit * Number(a[i] === x && b[i] === y))),
        );
        expect(rounds).toBe(2);
      }),
      { numRuns: 30 },
    );
  });

  it('COUNT by ⌈log2 w⌉ + 3 rounds and (2 + W/32)·m words, with SUM 10 and (4 + W/32)·m + 7', () => {
    const MANY = 4096;
    const next = random(4);
    const keys = words(MANY, next).map((word) => word & 7);
    const values = words(MANY, next);
    const shares = share('boolean', keys, next);
    const valid = shareBits(
      Array.from({ length: MANY }, () => 1),
      next,
    );
    const xs = share('arithmetic', values, next);
    const numbers = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n];
    const slots = 8;
    const counted = simulate(parties(4), function* (party, i) {
      const keys = [{ bits: toBits(shares[i], 3), values: numbers }];
      const chosen = yield* combinations(party, keys, valid[i]);
      const ones = yield* toArithmetic(party, chosen, MANY);
      return ones.map((column) => total({ form: 'arithmetic', shares: column }));
    });
    const counts = numbers.map(
      (_, slot) =>
        reveal(
          'arithmetic',
          counted.results.map((r) => r[slot]),
        )[0],
    );
    expect(counts).toEqual(
      numbers.map((key) => keys.filter((word) => word === Number(key)).length),
    );
    expect(counted.rounds).toBe(2 + 2);
    expect(counted.busiest / MANY).toBeLessThanOrEqual((2 + 4 / 32) * slots * 1.05);
    const summed = simulate(parties(4), function* (party, i) {
      const lifted = lift(party, xs[i]);
      const ones = (function* () {
        const keys = [{ bits: toBits(shares[i], 3), values: numbers }];
        const chosen = yield* combinations(party, keys, valid[i]);
        return yield* together(...chosen.map((plane) => toWideBit(party, plane, MANY)));
      })();
      const [wide, bits] = yield* together(lifted, ones);
      return yield* dotWide(
        party,
        bits.map((bit) => [bit, flattened(wide)] as const),
      );
    });
    expect(bigOf(reveal('wide', summed.results))).toEqual(
      numbers.map((key) =>
        [...values].reduce(
          (sum, value, i) => (keys[i] === Number(key) ? sum + BigInt(value) : sum),
          0n,
        ),
      ),
    );
    expect(summed.rounds).toBe(10);
    expect(summed.busiest / MANY).toBeLessThanOrEqual(((4 + 4 / 32) * slots + 7) * 1.05);
  });
});
