import fc from 'fast-check';
import { bits, cases, columns, expectCost, MANY, many, mask } from '../../test/steps.js';
import { parties, random, reveal, share, simulate, words } from '../../test/three.js';
import { addBits, toBoolean } from './adder.js';
import { lift, toArithmetic } from './arithmetic.js';
import { toWords } from './planes.js';
import type { Bits } from './shares.js';

describe('jobs.md 11.4: conversions', () => {
  it('adder mod 2^w, any width', () => {
    fc.assert(
      fc.property(cases, (example) => {
        const { seed, width } = example;
        const [x, y, next] = columns(example);
        const [xs, ys] = [share('boolean', x, next), share('boolean', y, next)];
        const { results } = simulate(parties(seed), (party, i) =>
          addBits(party, bits(xs, i, width), bits(ys, i, width)),
        );
        const sum = reveal('boolean', results.map(toWords));
        expect(sum).toEqual(x.map((word, i) => (word + y[i]) & mask(width)));
      }),
      { numRuns: 60 },
    );
  });

  it('A2B of the low bits, any width', () => {
    fc.assert(
      fc.property(cases, ({ seed, rows, width }) => {
        const next = random(seed);
        const x = words(rows, next);
        const xs = share('arithmetic', x, next);
        const { results } = simulate(parties(seed), (party, i) => toBoolean(party, xs[i], width));
        expect(reveal('boolean', results.map(toWords))).toEqual(
          x.map((word) => word & mask(width)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('B2A of bits', () => {
    fc.assert(
      fc.property(cases, ({ seed, rows }) => {
        const next = random(seed);
        const x = words(rows, next).map((word) => word & 3);
        const xs = share('boolean', x, next);
        const { results } = simulate(parties(seed), (party, i) =>
          toArithmetic(party, bits(xs, i, 2).planes, rows),
        );
        const opened = [0, 1].map((j) =>
          reveal(
            'arithmetic',
            results.map((result) => result[j]),
          ),
        );
        expect(opened).toEqual([x.map((word) => word & 1), x.map((word) => word >> 1)]);
      }),
      { numRuns: 60 },
    );
  });

  const EDGES = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, -(2 ** 30)];

  it('lift keeps every signed value, whatever its slots are', () => {
    fc.assert(
      fc.property(cases, ({ seed, rows }) => {
        const next = random(seed);
        const x = words(rows, next).map((word, i) => EDGES[i % 9] ?? word);
        const slot = seed % 2 === 0 ? next : (): number => EDGES[(next() >>> 0) % EDGES.length];
        const xs = share('arithmetic', x, slot);
        const { results } = simulate(parties(seed), (party, k) => lift(party, xs[k]));
        const opened = x.map(() => 0);
        const wide = [...opened].map((_, row) =>
          BigInt.asIntN(
            64,
            results.reduce(
              (sum, { low, high }) =>
                sum + (BigInt(low.own[row] >>> 0) | (BigInt(high.own[row] >>> 0) << 32n)),
              0n,
            ),
          ),
        );
        reveal(
          'arithmetic',
          results.map(({ low }) => low),
        );
        reveal(
          'arithmetic',
          results.map(({ high }) => high),
        );
        expect(wide).toEqual([...x].map(BigInt));
      }),
      { numRuns: 60 },
    );
  });

  it('counts: adder 6 rounds, 11 words; A2B 7, 12; B2A of a bit 2, 2; lift 9, 7', () => {
    const boolean = many('boolean');
    const { xs } = many('arithmetic');
    const pair = (i: number): [Bits, Bits] => [bits(boolean.xs, i, 32), bits(boolean.ys, i, 32)];
    expectCost(
      simulate(parties(8), (party, i) => addBits(party, ...pair(i))),
      { rounds: 6, words: 11 },
    );
    expectCost(
      simulate(parties(8), (party, i) => toBoolean(party, xs[i])),
      { rounds: 7, words: 12 },
    );
    expectCost(
      simulate(parties(8), (party, i) => toArithmetic(party, [pair(i)[0].planes[0]], MANY)),
      { rounds: 2, words: 2 },
    );
    expectCost(
      simulate(parties(8), (party, i) => lift(party, xs[i])),
      { rounds: 9, words: 7 },
    );
  });
});
