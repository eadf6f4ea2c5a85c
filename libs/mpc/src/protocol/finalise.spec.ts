import fc from 'fast-check';
import { bigOf, parties, random, reveal, share, simulate, words } from '../../test/three.js';
import { finalise, type Finalised } from './finalise.js';
import { planeOf } from './planes.js';
import type { Shares } from './shares.js';
import type { Column } from './shuffle.js';
import { multiplyWide, toWideBit } from './wide-products.js';

const revealWide = (shares: readonly Shares[]): bigint[] => bigOf(reveal('wide', shares));

describe('jobs.md 11.4: 64-bit columns', () => {
  it('multiply in Z_2^64: 1 round, 2 words', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const next = random(seed);
        const [x, y] = [words(200, next), words(200, next)];
        const [xs, ys] = [share('wide', x, next), share('wide', y, next)];
        const { results, rounds, busiest } = simulate(parties(seed), (party, i) =>
          multiplyWide(party, xs[i], ys[i]),
        );
        const [a, b] = [bigOf(x), bigOf(y)];
        expect(revealWide(results)).toEqual(a.map((value, i) => BigInt.asIntN(64, value * b[i])));
        expect([rounds, busiest]).toEqual([1, 200]);
      }),
      { numRuns: 30 },
    );
  });

  it('B2A into Z_2^64: 2 rounds, 4 words', () => {
    const next = random(5);
    const bits = words(300, next).map((word) => word & 1);
    const shares = share('boolean', bits, next);
    const { results, rounds, busiest } = simulate(parties(5), (party, i) =>
      toWideBit(party, { own: planeOf(shares[i].own, 0), next: planeOf(shares[i].next, 0) }, 300),
    );
    expect(revealWide(results)).toEqual([...bits].map(BigInt));
    expect([rounds, busiest]).toEqual([2, 1200]);
  });
});

describe('jobs.md 11.7: finalise before open', () => {
  const examples = fc.record({
    seed: fc.integer(),
    rows: fc.constantFrom(1, 31, 33, 64),
    ordered: fc.boolean(),
  });

  it('keeps live slots, opens dead ones to zero, and gives up the order unless it was asked for', () => {
    fc.assert(
      fc.property(examples, ({ seed, rows, ordered }) => {
        const next = random(seed);
        const valid = words(rows, next).map((word) => word & 1);
        const [a, b, c] = [
          words(rows, next).map((word) => word & 0x7f),
          words(rows, next),
          words(2 * rows, next),
        ];
        const shares = {
          valid: share('boolean', valid, next),
          a: share('boolean', a, next),
          b: share('arithmetic', b, next),
          c: share('wide', c, next),
        };
        // Shares of seven bits, as every step leaves them.
        const narrow = (x: Shares): Shares => ({
          own: x.own.map((word) => word & 0x7f),
          next: x.next.map((word) => word & 0x7f),
        });
        const { results } = simulate(parties(seed), (party, i) => {
          const columns: Column[] = [
            { form: 'boolean', width: 7, shares: narrow(shares.a[i]) },
            { form: 'arithmetic', shares: shares.b[i] },
            { form: 'wide', shares: shares.c[i] },
          ];
          const { own, next: other } = shares.valid[i];
          const plane = { own: planeOf(own, 0), next: planeOf(other, 0) };
          return finalise(party, { valid: plane, columns }, { rows, ordered });
        });
        const column = (k: number): Shares[] =>
          results.map((result: Finalised) => result.columns[k].shares);
        const opened = [
          [
            ...reveal(
              'boolean',
              results.map((result) => result.valid),
            ),
          ].map(BigInt),
          [...reveal('boolean', column(0))].map(BigInt),
          [...reveal('arithmetic', column(1))].map(BigInt),
          revealWide(column(2)),
        ];
        const wide = bigOf(c);
        const plain = Array.from({ length: rows }, (_, i) =>
          valid[i] ? [1n, BigInt(a[i]), BigInt(b[i]), wide[i]] : [0n, 0n, 0n, 0n],
        ).map(String);
        const found = Array.from({ length: rows }, (_, i) => opened.map((values) => values[i])).map(
          String,
        );
        if (ordered) expect(found).toEqual(plain);
        else expect(found.toSorted()).toEqual(plain.toSorted());
      }),
      { numRuns: 40 },
    );
  });
});
