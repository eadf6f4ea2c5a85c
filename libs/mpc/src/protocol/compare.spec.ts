import fc from 'fast-check';
import { bits, cases, columns, expectCost, many } from '../../test/steps.js';
import { parties, reveal, share, simulate } from '../../test/three.js';
import { biased, equal, greater } from './compare.js';
import { together, type Protocol } from './link.js';
import type { Party } from './party.js';
import { lanes } from './planes.js';
import type { Bits, Plane } from './shares.js';

const bitsOut = (results: readonly Plane[], rows: number): number[] => [
  ...lanes(reveal('boolean', results), rows),
];

/** Holds a boolean step of two columns to plain evaluation, on any rows and widths. */
function holdsPlane(
  step: (party: Party, x: Bits, y: Bits) => Protocol<Plane>,
  plain: (x: number, y: number, width: number) => boolean,
): void {
  fc.assert(
    fc.property(cases, (example) => {
      const { seed, rows, width } = example;
      const [x, y, next] = columns(example);
      const [xs, ys] = [share('boolean', x, next), share('boolean', y, next)];
      const { results } = simulate(parties(seed), (party, i) =>
        step(party, bits(xs, i, width), bits(ys, i, width)),
      );
      expect(bitsOut(results, rows)).toEqual(
        [...x].map((word, k) => Number(plain(word, y[k], width))),
      );
    }),
    { numRuns: 60 },
  );
}

describe('jobs.md 11.4: comparisons', () => {
  const one = (planes: Protocol<Plane[]>): Protocol<Plane> =>
    (function* () {
      return (yield* planes)[0];
    })();

  it('equality, any width', () => {
    holdsPlane(
      (party, x, y) => one(equal(party, [[x, y]])),
      (x, y) => x === y,
    );
  });

  it('x > y unsigned, any width', () => {
    holdsPlane(greater, (x, y) => x >>> 0 > y >>> 0);
  });

  it('x > y signed, any width', () => {
    holdsPlane(
      (party, x, y) => greater(party, biased(party, x), biased(party, y)),
      (x, y, width) => x << (32 - width) > y << (32 - width),
    );
  });

  it('equality of 32 bits: 5 rounds, 0.97 words; greater: 6 rounds, 2.9 words', () => {
    const { xs, ys } = many('boolean');
    const pair = (i: number): [Bits, Bits] => [bits(xs, i, 32), bits(ys, i, 32)];
    expectCost(
      simulate(parties(6), (party, i) => equal(party, [pair(i)])),
      { rounds: 5, words: 31 / 32 },
    );
    expectCost(
      simulate(parties(6), (party, i) => greater(party, ...pair(i))),
      { rounds: 6, words: 93 / 32 },
    );
  });

  it('of two columns in one batch: no more rounds than of the longer one', () => {
    const { xs, ys } = many('boolean');
    const outcome = simulate(parties(6), (party, i) =>
      together(
        greater(party, bits(xs, i, 32), bits(ys, i, 32)),
        equal(party, [[bits(xs, i, 9), bits(ys, i, 9)]]),
      ),
    );
    expectCost(outcome, { rounds: 6, words: (93 + 8) / 32 });
  });
});
