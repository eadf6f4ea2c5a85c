import fc from 'fast-check';
import {
  anyBig,
  bigOf,
  parties,
  random,
  reveal,
  revealBits,
  share,
  shareBits,
  simulate,
  wideWords,
  words,
  type Outcome,
  type Three,
  bitsToWide,
  wideToBits,
} from '../../test/three.js';
import { addBits } from './adder.js';
import { biased, equal, greater } from './compare.js';
import { between, isOneOf } from './constants.js';
import { muxBits } from './mux.js';
import { multiply } from './products.js';
import { lanes, toBits, toWords } from './planes.js';
import { add, subtract, type Bits, type Plane, type Shares } from './shares.js';
import { wideToBoolean, wordsToArithmetic, wordsToWide } from './words.js';

const MANY = 4096;
function expectCost(
  { rounds, busiest }: Outcome<unknown>,
  table: { rounds: number; words: number },
): void {
  expect(rounds).toBe(table.rounds);
  expect(busiest / MANY).toBeLessThanOrEqual(table.words * 1.05);
}

interface Case {
  seed: number;
  rows: number;
  width: number;
}
const cases = fc.record({
  seed: fc.integer(),
  rows: fc.constantFrom(1, 31, 32, 33, 100),
  width: fc.integer({ min: 1, max: 64 }),
});
const manyBigs = (rows: number, next: () => number): bigint[] =>
  Array.from({ length: rows }, () => anyBig(next));
const bigShares = (
  form: 'boolean' | 'wide',
  values: readonly bigint[],
  next: () => number,
): Three<Shares> => share(form, wideWords(values), next);
const each = (runs: number, hold: (example: Case, next: () => number) => void): void => {
  fc.assert(
    fc.property(cases, (example) => hold(example, random(example.seed))),
    { numRuns: runs },
  );
};
const plane = (result: Plane[]): Plane => result[0];

describe('jobs.md 11.4: 64-bit columns', () => {
  it('A2B of the low bits of 64-bit words, any width', () => {
    each(40, ({ seed, rows, width }, next) => {
      const values = manyBigs(rows, next);
      const xs = bigShares('wide', values, next);
      const { results } = simulate(parties(seed), (party, i) => wideToBoolean(party, xs[i], width));
      expect(bigOf(reveal('boolean', results.map(bitsToWide)))).toEqual(
        values.map((value) => BigInt.asIntN(64, BigInt.asUintN(width, value))),
      );
    });
  });

  it('adder, equality and both orders of 64-bit values', () => {
    each(40, ({ seed, rows }, next) => {
      const x = manyBigs(rows, next);
      const y = x.map((value, i) => (i % 3 === 0 ? value : anyBig(next)));
      const [xs, ys] = [bigShares('boolean', x, next), bigShares('boolean', y, next)];
      const pair = (i: number): [Bits, Bits] => [wideToBits(xs[i]), wideToBits(ys[i])];
      const { results } = simulate(parties(seed), function* (party, i) {
        const [a, b] = pair(i);
        return {
          sum: bitsToWide(yield* addBits(party, a, b)),
          same: plane(yield* equal(party, [[a, b]])),
          above: yield* greater(party, a, b),
          greater: yield* greater(party, biased(party, a), biased(party, b)),
        };
      });
      const bits = (of: 'same' | 'above' | 'greater'): boolean[] =>
        revealBits(
          results.map((result) => result[of]),
          rows,
        ).map(Boolean);
      expect(
        bigOf(
          reveal(
            'boolean',
            results.map(({ sum }) => sum),
          ),
        ),
      ).toEqual(x.map((value, i) => BigInt.asIntN(64, value + y[i])));
      expect(bits('same')).toEqual(x.map((value, i) => value === y[i]));
      expect(bits('greater')).toEqual(x.map((value, i) => value > y[i]));
      const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
      expect(bits('above')).toEqual(x.map((value, i) => unsigned(value) > unsigned(y[i])));
    });
  });

  it('counts: A2B 8 rounds, 28 words; adder 7, 26; equality 6, 2; compare 7, 5.9', () => {
    const next = random(3);
    const xs = bigShares('boolean', manyBigs(MANY, next), next);
    const pair = (i: number): [Bits, Bits] => [wideToBits(xs[i]), wideToBits(xs[i])];
    expectCost(
      simulate(parties(3), (party, i) => wideToBoolean(party, xs[i])),
      { rounds: 8, words: 28 },
    );
    expectCost(
      simulate(parties(3), (party, i) => addBits(party, ...pair(i))),
      { rounds: 7, words: 26 },
    );
    expectCost(
      simulate(parties(3), (party, i) => equal(party, [pair(i)])),
      { rounds: 6, words: 2 },
    );
    expectCost(
      simulate(parties(3), (party, i) => greater(party, ...pair(i))),
      { rounds: 7, words: 5.9 },
    );
  });
});

describe('jobs.md 11.4: B2A of words', () => {
  const narrow = (value: bigint, width: number, signed: boolean): bigint =>
    signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);

  it('into Z_2^32, any width, signed and unsigned', () => {
    each(40, ({ seed, rows, width: wide }, next) => {
      const width = Math.ceil(wide / 2);
      const values = words(rows, next);
      const xs = share('boolean', values, next);
      for (const signed of [true, false]) {
        const { results } = simulate(parties(seed), (party, i) =>
          wordsToArithmetic(party, toBits(xs[i], width), signed),
        );
        expect([...reveal('arithmetic', results)]).toEqual(
          Array.from(values, (value) => Number(narrow(BigInt(value), width, signed)) | 0),
        );
      }
    });
  });

  it('into Z_2^64, any width, signed and unsigned', () => {
    each(40, ({ seed, rows, width }, next) => {
      const values = manyBigs(rows, next);
      const xs = bigShares('boolean', values, next);
      for (const signed of [true, false]) {
        const { results } = simulate(parties(seed), (party, i) =>
          wordsToWide(party, wideToBits(xs[i], width), signed),
        );
        expect(bigOf(reveal('wide', results))).toEqual(
          values.map((value) => BigInt.asIntN(64, narrow(value, width, signed))),
        );
      }
    });
  });

  it('counts: 8 rounds, 13 words', () => {
    const next = random(4);
    const xs = share('boolean', words(MANY, next), next);
    expectCost(
      simulate(parties(4), (party, i) => wordsToArithmetic(party, toBits(xs[i], 32), true)),
      { rounds: 8, words: 13 },
    );
  });
});

describe('jobs.md 11.4: mux', () => {
  it('of bits takes b where m is 1, and in Z_2^32 a + s·(b - a) is the same: 1 round, 1 word', () => {
    each(30, ({ seed, rows }, next) => {
      const m = words(rows, next).map((word) => word & 1);
      const [a, b] = [words(rows, next), words(rows, next)];
      const picked = a.map((value, i) => (m[i] ? b[i] : value));
      const ms = shareBits([...m], next);
      const [as, bs] = [a, b].map((value) => share('boolean', value, next));
      const bits = simulate(parties(seed), (party, i) =>
        muxBits(party, ms[i], toBits(as[i], 32), toBits(bs[i], 32)),
      );
      expect(reveal('boolean', bits.results.map(toWords))).toEqual(picked);
      const [s, ar, br] = [m, a, b].map((value) => share('arithmetic', value, next));
      const narrow = simulate(parties(seed), function* (party, i) {
        return add(ar[i], yield* multiply(party, s[i], subtract(br[i], ar[i])));
      });
      expect(reveal('arithmetic', narrow.results)).toEqual(picked);
      expect([bits.rounds, narrow.rounds]).toEqual([1, 1]);
      expect([bits.busiest, narrow.busiest]).toEqual([32 * Math.ceil(rows / 32), rows]);
    });
  });
});

describe('jobs.md 11.4: public constants', () => {
  const values = ({ rows, width }: Case, next: () => number, signed: boolean): bigint[] =>
    manyBigs(rows, next).map((value) =>
      signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value),
    );

  it('BETWEEN, any width, signed and unsigned: 2 + ⌈log2 w⌉ rounds', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), (example, signed) => {
        const { seed, rows, width } = example;
        const next = random(seed);
        const plain = values(example, next, signed);
        const [min, max] = [plain[0], values(example, next, signed)[0]].toSorted((a, b) =>
          a < b ? -1 : Number(a > b),
        );
        const xs = bigShares('boolean', plain, next);
        const { results, rounds } = simulate(parties(seed), (party, i) =>
          between(party, wideToBits(xs[i], width), { min, max, signed }),
        );
        expect(revealBits(results, rows).map(Boolean)).toEqual(
          plain.map((value) => min <= value && value <= max),
        );
        expect(rounds).toBe(2 + Math.ceil(Math.log2(width)));
      }),
      { numRuns: 40 },
    );
  });

  it('IN, any width, equal constants once: ⌈log2 w⌉ rounds, (w - 1)/32 words each', () => {
    each(40, (example, next) => {
      const { seed, rows, width } = example;
      const plain = values(example, next, true);
      const listed = [...plain.filter((_, i) => i % 3 === 0), ...values(example, next, true)].slice(
        0,
        9,
      );
      const xs = bigShares('boolean', plain, next);
      const { results, rounds, busiest } = simulate(parties(seed), (party, i) =>
        isOneOf(party, wideToBits(xs[i], width), [...listed, listed[0]]),
      );
      expect(revealBits(results, rows).map(Boolean)).toEqual(
        plain.map((value) => listed.includes(value)),
      );
      expect(rounds).toBe(Math.ceil(Math.log2(width)));
      expect(busiest).toBe((width - 1) * Math.ceil(rows / 32) * new Set(listed).size);
    });
  });

  it('IN of nothing is false', () => {
    const xs = share('boolean', words(40, random(1)), random(2));
    const { results } = simulate(parties(1), (party, i) => isOneOf(party, toBits(xs[i], 32), []));
    expect([...lanes(reveal('boolean', results), 40)]).toEqual(Array.from({ length: 40 }, () => 0));
  });
});
