import { createCipheriv, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import {
  bigOf,
  parties,
  random,
  reveal,
  share,
  simulate,
  words,
  type Outcome,
  type Three,
} from '../../test/three.js';
import { addBits, toBoolean } from './adder.js';
import { lift, toArithmetic } from './arithmetic.js';
import { biased, equal, greater } from './compare.js';
import { input } from './input.js';
import { together, type Protocol } from './link.js';
import { open } from './open.js';
import { keyStreams, type Party, type PartyId, type Purpose } from './party.js';
import { delay, lanes, planeOf, planesOfWords, toBits, toWords, wordsOfPlanes } from './planes.js';
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
  type Bits,
  type Plane,
  type Shares,
} from './shares.js';
import { dotWide } from './wide-products.js';

const SIZES = [1, 31, 32, 33, 100];
/** Rows for counting: digests and unused lanes vanish beside them. */
const MANY = 4096;
const mask = (width: number): number => (width === 32 ? -1 : (1 << width) - 1);

interface Case {
  seed: number;
  rows: number;
  width: number;
}
const cases = fc.record({
  seed: fc.integer(),
  rows: fc.constantFrom(...SIZES),
  width: fc.integer({ min: 1, max: 32 }),
});

/** Two random columns in which equal values, and values that differ in one bit, are frequent. */
function columns({ seed, rows, width }: Case): [Int32Array, Int32Array, () => number] {
  const next = random(seed);
  const x = words(rows, next).map((word) => word & mask(width));
  const y = x.map((word, i) => {
    if (i % 3 === 0) return word;
    return (i % 3 === 1 ? word ^ (1 << (next() >>> 27)) : next()) & mask(width);
  });
  return [x, y, next];
}

const bits = (shares: Three<Shares>, index: number, width: number): Bits =>
  toBits(shares[index], width);
const bitsOut = (results: readonly Plane[], rows: number): number[] => [
  ...lanes(reveal('boolean', results), rows),
];
/** Holds a step's count to the table of 11.4: rounds exactly, words per row at most 5 % above. */
function expectCost(
  { rounds, busiest }: Outcome<unknown>,
  table: { rounds: number; words: number },
): void {
  expect(rounds).toBe(table.rounds);
  expect(busiest / MANY).toBeLessThanOrEqual(table.words * 1.05);
}

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

function many(form: 'boolean' | 'arithmetic'): {
  x: Int32Array;
  y: Int32Array;
  xs: Three<Shares>;
  ys: Three<Shares>;
} {
  const [x, y, next] = columns({ seed: 7, rows: MANY, width: 32 });
  return { x, y, xs: share(form, x, next), ys: share(form, y, next) };
}

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
