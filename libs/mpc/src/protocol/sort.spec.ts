import fc from 'fast-check';
import { parties, random, reveal, share, simulate, words, type Three } from '../../test/three.js';
import { digitPass } from './digits.js';
import type { Party } from './party.js';
import { toBits } from './planes.js';
import { shuffle, type Column } from './shuffle.js';
import { digitsOf, radixSort, sort, sortCost, sortForm, wideSort, type KeyBit } from './sort.js';

const ROWS = 2048;

function tables(
  columns: { form: 'boolean' | 'arithmetic'; value: Int32Array }[],
  next: () => number,
): Three<Column[]> {
  const shared = columns.map(({ form, value }) => ({ form, shares: share(form, value, next) }));
  return [0, 1, 2].map((i) =>
    shared.map(({ form, shares }) => ({ form, shares: shares[i] })),
  ) as Three<Column[]>;
}

const revealed = (results: Three<Column[]>, column: number): Int32Array =>
  reveal(
    results[0][column].form === 'boolean' ? 'boolean' : 'arithmetic',
    results.map((table) => table[column].shares),
  );

const key = (
  column: number,
  bits: number,
  flip: (bit: number) => boolean = () => false,
): KeyBit[] => Array.from({ length: bits }, (_, bit) => ({ column, bit, flipped: flip(bit) }));

describe('jobs.md 11.5: shuffle', () => {
  it('keeps rows together, in 3 rounds and 2 words per word, in an order of its own each time', () => {
    const next = random(1);
    const x = Int32Array.from({ length: ROWS }, (_, i) => i);
    const y = words(ROWS, next);
    const table = tables(
      [
        { form: 'arithmetic', value: x },
        { form: 'boolean', value: y },
      ],
      next,
    );
    const both = simulate(parties(1), function* (party: Party, i: number) {
      const first = yield* shuffle(party, table[i]);
      return [first, yield* shuffle(party, table[i])] as const;
    });
    const orders = ([0, 1] as const).map((time) => {
      const results = both.results.map((result) => result[time]) as Three<Column[]>;
      const order = revealed(results, 0);
      expect(revealed(results, 1)).toEqual(order.map((i) => y[i]));
      expect(order.toSorted()).toEqual(x);
      return order;
    });
    expect(orders[0]).not.toEqual(orders[1]);
    expect(both.rounds).toBe(6);
    expect(both.busiest).toBe(2 * 2 * 2 * ROWS);
  });

  it('of three rows: all orders are as likely (chi-square of 1,200 shuffles, error probability 1e-6)', () => {
    const table = tables([{ form: 'arithmetic', value: new Int32Array([1, 2, 3]) }], random(2));
    const counts = new Map<string, number>();
    const sides = parties(3);
    for (let run = 0; run < 1200; run += 1) {
      const { results } = simulate(sides, (party, i) => shuffle(party, table[i]));
      const order = revealed(results, 0).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const distance = [...counts.values()].reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0);
    expect(distance).toBeLessThan(36.9); // five degrees of freedom
  });
});

describe('jobs.md 11.5: digit passes', () => {
  it.each([
    { bits: 1, rounds: 7, own: 6 },
    { bits: 2, rounds: 8, own: 10 },
    { bits: 3, rounds: 9, own: 18 },
  ])('of $bits bits: $rounds rounds, $own + 2c words, stable', ({ bits, rounds, own }) => {
    const next = random(bits);
    const digits = words(ROWS, next).map((word) => word & ((1 << bits) - 1));
    const planes = share('boolean', digits, next);
    const table = tables([{ form: 'arithmetic', value: digits.map((_, i) => i) }], next);
    const outcome = simulate(parties(bits), (party, i) =>
      digitPass(party, toBits(planes[i], bits).planes, table[i]),
    );
    const plain = [...digits.keys()].toSorted((a, b) => digits[a] - digits[b] || a - b);
    expect([...revealed(outcome.results, 0)]).toEqual(plain);
    expect(outcome.rounds).toBe(rounds);
    expect(outcome.busiest / ROWS).toBeLessThanOrEqual((own + 2) * 1.05);
  });
});

describe('jobs.md 11.5: radix sort', () => {
  it('is stable, for any key, with any payload', () => {
    const example = fc.record({
      seed: fc.integer(),
      rows: fc.constantFrom(1, 2, 33, 100),
      bits: fc.integer({ min: 1, max: 8 }),
      descending: fc.boolean(),
    });
    fc.assert(
      fc.property(example, ({ seed, rows, bits, descending }) => {
        const next = random(seed);
        const keys = words(rows, next).map((word) => word & ((1 << bits) - 1));
        const table = tables(
          [
            { form: 'boolean', value: keys },
            { form: 'arithmetic', value: Int32Array.from({ length: rows }, (_, i) => i) },
          ],
          next,
        );
        const { results } = simulate(parties(seed), (party, i) =>
          sort(
            party,
            table[i],
            key(0, bits, () => descending),
          ),
        );
        const sign = descending ? -1 : 1;
        const plain = [...keys.keys()].toSorted((a, b) => sign * (keys[a] - keys[b]) || a - b);
        expect([...revealed(results, 1)]).toEqual(plain);
        expect([...revealed(results, 0)]).toEqual(plain.map((i) => keys[i]));
      }),
      { numRuns: 40 },
    );
  });

  it('cuts a key into digits of two bits, the last of three where the number is odd', () => {
    const sizes = (bits: number): number[] => digitsOf(key(0, bits), 2).map(({ length }) => length);
    expect(sizes(33)).toEqual([...Array<number>(15).fill(2), 3]);
    expect([sizes(1), sizes(2), sizes(3), sizes(5)]).toEqual([[1], [2], [3], [2, 3]]);
  });

  it('cuts it into digits of three bits where that was asked for, with no single bit behind them', () => {
    const sizes = (bits: number): number[] => digitsOf(key(0, bits), 3).map(({ length }) => length);
    expect(sizes(33)).toEqual(Array<number>(11).fill(3));
    expect([sizes(1), sizes(2), sizes(4), sizes(5), sizes(7)]).toEqual([
      [1],
      [2],
      [2, 2],
      [3, 2],
      [3, 2, 2],
    ]);
  });

  it.each([
    {
      name: 'three-bit digits',
      step: radixSort,
      digit: 3,
      rounds: 99,
      words: (c: number) => 198 + 22 * c,
    },
    // The key, the flags and the row number are sorted, then all columns move.
    {
      name: 'a wide table',
      step: wideSort,
      digit: 2,
      rounds: 137,
      words: (c: number) => 168 + 32 * 3 + 8 + 2 * c,
    },
  ] as const)(
    'with $name: the same rows, $rounds rounds',
    ({ step, digit, rounds, words: most }) => {
      const next = random(6);
      const keys = words(ROWS, next);
      const flags = words(ROWS, next).map((word) => word & 1);
      const table = tables(
        [
          { form: 'boolean', value: keys },
          { form: 'boolean', value: flags },
          ...[1, 2, 3].map(() => ({ form: 'arithmetic' as const, value: keys })),
        ],
        next,
      );
      const order = [...key(0, 32, (bit) => bit === 31), { column: 1, bit: 0, flipped: true }];
      const outcome = simulate(parties(6), (party, i) => step(party, table[i], order, digit));
      const plain = [...keys.keys()].toSorted((a, b) => flags[b] - flags[a] || keys[a] - keys[b]);
      for (const column of [0, 2, 4])
        expect([...revealed(outcome.results, column)]).toEqual(plain.map((i) => keys[i]));
      expect(outcome.rounds).toBe(rounds);
      expect(outcome.busiest / ROWS).toBeLessThanOrEqual(most(5) * 1.05);
    },
  );

  it('of a wide table is stable, with 64-bit columns among them', () => {
    const next = random(8);
    const rows = 70;
    const keys = words(rows, next).map((word) => word & 3);
    const table = tables([{ form: 'boolean', value: keys }], next);
    const wide = share(
      'wide',
      words(2 * rows, () => 7).map((_, i) => i),
      next,
    );
    const { results } = simulate(parties(8), (party, i) =>
      wideSort(party, [{ form: 'wide', shares: wide[i] }, ...table[i]], key(1, 2), 2),
    );
    const plain = [...keys.keys()].toSorted((a, b) => keys[a] - keys[b] || a - b);
    expect([
      ...reveal(
        'wide',
        results.map(([column]) => column.shares),
      ),
    ]).toEqual([...plain, ...plain.map((i) => i + rows)]);
  });

  it('of a signed 32-bit key and ¬V: dead rows last, 129 rounds, 168 + 32c words', () => {
    const next = random(4);
    const keys = words(ROWS, next);
    const flags = words(ROWS, next).map((word) => word & 1);
    const table = tables(
      [
        { form: 'boolean', value: keys },
        { form: 'boolean', value: flags },
        { form: 'arithmetic', value: keys },
      ],
      next,
    );
    const order = [...key(0, 32, (bit) => bit === 31), { column: 1, bit: 0, flipped: true }];
    const { results, rounds, busiest } = simulate(parties(4), (party, i) =>
      radixSort(party, table[i], order, 2),
    );
    const plain = [...keys.keys()].toSorted((a, b) => flags[b] - flags[a] || keys[a] - keys[b]);
    expect([...revealed(results, 2)]).toEqual(plain.map((i) => keys[i]));
    expect(rounds).toBe(129);
    expect(busiest / ROWS).toBeLessThanOrEqual((168 + 32 * 3) * 1.05);
  });

  it('takes the form that the estimate favours, and costs what it says', () => {
    const narrow = { bits: 33, keyWords: 2, words: 2 };
    expect(sortForm(narrow, 262_144)).toEqual({ digit: 2, wide: false });
    expect(sortForm({ ...narrow, words: 3 }, 65_536)).toEqual({ digit: 3, wide: false });
    expect(sortForm({ ...narrow, words: 9 }, 65_536)).toEqual({ digit: 3, wide: true });
    expect(sortForm({ bits: 9, keyWords: 2, words: 4 }, 100)).toEqual({ digit: 3, wide: false });
    expect(sortCost(narrow, { digit: 2, wide: false })).toEqual({ rounds: 129, words: 168 + 64 });
    expect(sortCost(narrow, { digit: 3, wide: false })).toEqual({ rounds: 99, words: 198 + 44 });
    expect(sortCost(narrow, { digit: 2, wide: true })).toEqual({
      rounds: 137,
      words: 168 + 96 + 8 + 4,
    });
  });
});
