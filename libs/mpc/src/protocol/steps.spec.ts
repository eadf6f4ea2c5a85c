import { createCipheriv, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { cases, columns, expectCost, MANY, many, mask } from '../../test/steps.js';
import { bigOf, parties, random, reveal, share, simulate, words } from '../../test/three.js';
import { input } from './input.js';
import { open } from './open.js';
import { keyStreams, type Party, type PartyId, type Purpose } from './party.js';
import { delay, lanes, planeOf, planesOfWords, wordsOfPlanes } from './planes.js';
import { andWords, multiply, zeroStreams } from './products.js';
import {
  add,
  addConstant,
  addWords,
  checkWidth,
  not,
  scale,
  slotOf,
  subtract,
  subtractWords,
  trivial,
  xor,
  xorWords,
  type Shares,
} from './shares.js';
import { dotWide } from './wide-products.js';

describe('jobs.md 11.4: bit planes', () => {
  it('are the words again, in any width, and one bit of them is its plane', () => {
    fc.assert(
      fc.property(cases, ({ seed, rows, width }) => {
        const value = words(rows, random(seed)).map((word) => word & mask(width));
        const planes = planesOfWords(value, width);
        expect(wordsOfPlanes(planes, rows)).toEqual(value);
        expect(planeOf(value, width - 1)).toEqual(planes[width - 1]);
      }),
    );
  });

  it('move down by any number of rows', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(130), (seed, by) => {
        const bit = words(100, random(seed)).map((word) => word & 1);
        const plane = planeOf(bit, 0);
        const moved = lanes(delay({ own: plane, next: plane }, by).own, 100);
        expect([...moved]).toEqual([...bit].map((_, i) => (i < by ? 0 : bit[i - by])));
      }),
    );
  });
});

describe('jobs.md 11.4: local steps', () => {
  it('sums, differences, XOR, public factors and constants, NOT', () => {
    fc.assert(
      fc.property(cases, fc.integer(), (example, c) => {
        const [x, y, next] = columns({ ...example, width: 32 });
        const sides = parties(example.seed);
        const holds = (
          form: 'boolean' | 'arithmetic',
          step: (party: Party, a: Shares, b: Shares) => Shares,
          plain: (a: number, b: number) => number,
        ): void => {
          const [xs, ys] = [share(form, x, next), share(form, y, next)];
          const results = sides.map((party, i) => step(party, xs[i], ys[i]));
          expect(reveal(form, results)).toEqual(x.map((word, i) => plain(word, y[i])));
        };
        holds(
          'arithmetic',
          (_, a, b) => add(a, b),
          (a, b) => a + b,
        );
        holds(
          'arithmetic',
          (_, a, b) => subtract(a, b),
          (a, b) => a - b,
        );
        holds(
          'arithmetic',
          (_, a) => scale(a, c),
          (a) => Math.imul(a, c),
        );
        holds(
          'arithmetic',
          (party, a) => addConstant(party, a, c),
          (a) => a + c,
        );
        holds(
          'boolean',
          (_, a, b) => xor(a, b),
          (a, b) => a ^ b,
        );
        holds(
          'boolean',
          (party, a) => not(party, a),
          (a) => ~a,
        );
      }),
      { numRuns: 30 },
    );
  });

  it.each([0, 1, 2] as PartyId[])('a value that stands in slot %i alone', (slot) => {
    const value = words(50, random(slot));
    const results = parties(1).map((party) =>
      trivial(party, slot, slotOf(party, slot) && value, 50),
    );
    expect(reveal('boolean', results)).toEqual(value);
    expect(reveal('arithmetic', results)).toEqual(value);
  });

  it('zero shares add up to nothing, and each step has its own', () => {
    const sides = parties(12);
    const draws = [0, 1].map(() => sides.map((party) => zeroStreams(party, 20)));
    for (const parts of draws) {
      const masks = parts.map(([f, g]) => subtractWords(f, g));
      expect(masks.reduce(addWords)).toEqual(new Int32Array(20));
      expect(parts.map(([f, g]) => xorWords(f, g)).reduce(xorWords)).toEqual(new Int32Array(20));
    }
    expect(draws[0]).not.toEqual(draws[1]);
  });

  it('streams are AES-128-CTR under HKDF-SHA-256 of key, step and purpose', () => {
    const [next, previous] = [new Uint8Array(32).fill(1), new Uint8Array(16).fill(2)];
    const drawn = keyStreams({ next, previous })('previous', 7, 'mask').words(1000);
    const key = new Uint8Array(hkdfSync('sha256', previous, '', 'glacis-mpc-1 7 mask', 16));
    const cipher = createCipheriv('aes-128-ctr', key, new Uint8Array(16));
    expect(Buffer.from(drawn.buffer).equals(cipher.update(Buffer.alloc(4000)))).toBe(true);
  });

  it('streams of different steps, purposes and keys differ, and neighbours draw the same', () => {
    const [first, second] = parties(4);
    const draw = (party: Party, key: 'next' | 'previous', step: number, purpose: Purpose): string =>
      party.stream(key, step, purpose).words(4).join();
    expect(draw(first, 'next', 1, 'r')).toBe(draw(second, 'previous', 1, 'r'));
    const drawn = [
      draw(first, 'next', 1, 'r'),
      draw(first, 'next', 2, 'r'),
      draw(first, 'next', 1, 's'),
      draw(first, 'previous', 1, 'r'),
    ];
    expect(new Set(drawn).size).toBe(4);
  });
});

describe('jobs.md 11.4: products', () => {
  it('AND: 1 round, 1 word', () => {
    const { x, y, xs, ys } = many('boolean');
    const outcome = simulate(parties(1), (party, i) => andWords(party, xs[i], ys[i]));
    expect(reveal('boolean', outcome.results)).toEqual(x.map((word, i) => word & y[i]));
    expectCost(outcome, { rounds: 1, words: 1 });
  });

  it('multiply: 1 round, 1 word', () => {
    const { x, y, xs, ys } = many('arithmetic');
    const outcome = simulate(parties(2), (party, i) => multiply(party, xs[i], ys[i]));
    expect(reveal('arithmetic', outcome.results)).toEqual(
      x.map((word, i) => Math.imul(word, y[i])),
    );
    expectCost(outcome, { rounds: 1, words: 1 });
  });

  it('dot product: 1 round, one value for any number of rows, in Z_2^64 two words', () => {
    const next = random(3);
    const [x, y] = [words(2 * MANY, next), words(2 * MANY, next)];
    const [xs, ys] = [share('wide', x, next), share('wide', y, next)];
    const outcome = simulate(parties(3), (party, i) =>
      dotWide(party, [
        [xs[i], ys[i]],
        [xs[i], xs[i]],
      ]),
    );
    const [a, b] = [bigOf(x), bigOf(y)];
    const sum = (of: (i: number) => bigint): bigint =>
      a.reduce((all, _, i) => BigInt.asIntN(64, all + of(i)), 0n);
    expect(bigOf(reveal('wide', outcome.results))).toEqual([
      sum((i) => a[i] * b[i]),
      sum((i) => a[i] * a[i]),
    ]);
    expect([outcome.rounds, outcome.busiest]).toEqual([1, 4]);
  });
});

describe('jobs.md 11.4: open and input', () => {
  it('open: 1 round, 1 word, and all three learn the value', () => {
    const { x, xs } = many('arithmetic');
    const outcome = simulate(parties(4), (_, i) => open(xs[i], addWords));
    for (const result of outcome.results) expect(result).toEqual(x);
    expectCost(outcome, { rounds: 1, words: 1 });
  });

  it('open: a slot of which two parties say different things ends the run', () => {
    const { xs } = many('boolean');
    xs[1].own[5] ^= 1;
    expect(() => simulate(parties(4), (_, i) => open(xs[i], xorWords))).toThrow(
      'two parties say different things of one slot',
    );
  });

  it.each([0, 1, 2] as PartyId[])('input of party %i: 1 round, 1 word', (owner) => {
    const value = words(MANY, random(owner));
    for (const form of ['boolean', 'arithmetic'] as const) {
      const outcome = simulate(parties(5), (party) =>
        input(party, form, {
          owner,
          length: MANY,
          words: party.id === owner ? value : undefined,
        }),
      );
      expect(reveal(form, outcome.results)).toEqual(value);
      expectCost(outcome, { rounds: 1, words: 1 });
    }
  });

  it('refuses a word with bits above its width', () => {
    const [x] = share('boolean', new Int32Array([8]), () => 0);
    expect(() => checkWidth(x, 4)).not.toThrow();
    expect(() => checkWidth(x, 3)).toThrow('above its width');
  });
});
