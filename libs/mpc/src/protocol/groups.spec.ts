import fc from 'fast-check';
import {
  parties,
  planeAt,
  random,
  reveal,
  revealBits,
  share,
  shareBits,
  simulate,
  words,
  type Three,
} from '../../test/three.js';
import { lift } from './arithmetic.js';
import { collect, frame, type Grouped } from './groups.js';
import { toBits, toWords } from './planes.js';
import { runExtreme, runOr } from './runs.js';
import type { Plane, Shares } from './shares.js';
import { flattened } from './wide.js';

interface Example {
  seed: number;
  rows: number;
  /** Bits of the key: few, so that groups are large, or many. */
  width: number;
  /** Live rows, which stand first. */
  live: number;
}
const examples = fc
  .record({
    seed: fc.integer(),
    rows: fc.constantFrom(1, 2, 31, 32, 33, 70),
    width: fc.integer({ min: 1, max: 7 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ share, ...example }): Example => ({
    ...example,
    live: Math.round(share * example.rows),
  }));

interface Rows {
  keys: Int32Array;
  valid: Int32Array;
  values: Int32Array;
  next: () => number;
}
/** Rows sorted by (V descending, key), with edge values among them. */
function sorted({ seed, rows, width, live }: Example): Rows {
  const next = random(seed);
  const keys = words(rows, next).map((word) => word & ((1 << width) - 1));
  keys.subarray(0, live).sort();
  const edges = [2 ** 31 - 1, -(2 ** 31), 0, -1];
  return {
    keys,
    valid: Int32Array.from({ length: rows }, (_, i) => (i < live ? 1 : 0)),
    values: words(rows, next).map((word) => edges[(word >>> 0) % 8] ?? word),
    next,
  };
}

/** The groups in plain: from the first to the last row of each. */
function groupsOf({ keys }: Rows, live: number): [number, number][] {
  const ends = Array.from({ length: live }, (_, i) => i).filter(
    (i) => i + 1 === live || keys[i] !== keys[i + 1],
  );
  return ends.map((end, j) => [j === 0 ? 0 : ends[j - 1] + 1, end]);
}

const wideAt = (columns: readonly Shares[], row: number): bigint => {
  const half = columns[0].own.length / 2;
  const word = ({ own }: Shares): bigint =>
    BigInt(own[row] >>> 0) + (BigInt(own[half + row]) << 32n);
  return BigInt.asIntN(
    64,
    columns.map(word).reduce((a, b) => a + b),
  );
};

describe('jobs.md 11.5: groups of sorted rows', () => {
  it('frame, SUM and COUNT are those of plain evaluation; groups come first, in key order', () => {
    fc.assert(
      fc.property(examples, (example) => {
        const { seed, rows, width, live } = example;
        const plain = sorted(example);
        const keys = share('boolean', plain.keys, plain.next);
        const valid = share('boolean', plain.valid, plain.next);
        const values = share('arithmetic', plain.values, plain.next);
        const { results } = simulate(parties(seed), function* (party, i) {
          const wide = flattened(yield* lift(party, values[i]));
          const found = yield* frame(party, toBits(keys[i], width).planes, planeAt(valid[i]), rows);
          return yield* collect(
            party,
            found,
            [{ form: 'boolean', shares: keys[i] }],
            [{ form: 'wide', shares: wide }],
          );
        });
        const groups = groupsOf(plain, live);
        const column = <T>(of: (grouped: Grouped) => T): T[] => results.map(of);
        expect(
          revealBits(
            column(({ valid }) => valid),
            rows,
          ),
        ).toEqual(Array.from({ length: rows }, (_, i) => (i < groups.length ? 1 : 0)));
        const shown = reveal(
          'boolean',
          column(({ columns }) => columns[0].shares),
        );
        const count = reveal(
          'arithmetic',
          column((grouped) => grouped.count),
        );
        const sums = column((grouped) => grouped.sums[0]);
        groups.forEach(([first, last], slot) => {
          const members = plain.values.slice(first, last + 1);
          expect([shown[slot], count[slot]]).toEqual([plain.keys[last], last - first + 1]);
          expect(wideAt(sums, slot)).toBe([...members].map(BigInt).reduce((a, b) => a + b));
        });
      }),
      { numRuns: 50 },
    );
  });

  it('frame and collect of a 32-bit key: 6 + 7 rounds, 1 + 6 + 2c words', () => {
    const ROWS = 2048;
    const next = random(3);
    const keys = share('boolean', words(ROWS, next).toSorted(), next);
    const valid = share('boolean', new Int32Array(ROWS).fill(1), next);
    const { rounds, busiest } = simulate(parties(3), function* (party, i) {
      const found = yield* frame(party, toBits(keys[i], 32).planes, planeAt(valid[i]), ROWS);
      return yield* collect(party, found, [{ form: 'boolean', shares: keys[i] }], []);
    });
    expect(rounds).toBe(13);
    // The key, the flag and the position are the payload.
    expect(busiest / ROWS).toBeLessThanOrEqual((7 + 2 * 3) * 1.05);
  });
});

describe('jobs.md 11.4, 11.5: along runs', () => {
  const along = (example: Example): { g: Three<Plane>; plain: Rows; starts: number[] } => {
    const plain = sorted({ ...example, live: example.rows });
    const bits = plain.keys.map((key, i) => (i > 0 && key === plain.keys[i - 1] ? 1 : 0));
    const g = share('boolean', bits, plain.next).map(planeAt) as Three<Plane>;
    const starts: number[] = [];
    bits.forEach((bit, i) => starts.push(bit ? starts[i - 1] : i));
    return { g, plain, starts };
  };

  it('OR of the bits of a run up to each row', () => {
    fc.assert(
      fc.property(examples, (example) => {
        const { seed, rows } = example;
        const { g, plain, starts } = along(example);
        const bits = plain.values.map((word) => Number((word & 7) === 0));
        const shares = share('boolean', bits, plain.next);
        const { results, rounds } = simulate(parties(seed), (party, i) =>
          runOr(party, g[i], [planeAt(shares[i])], rows),
        );
        expect(revealBits(results.flat(), rows)).toEqual(
          starts.map((start, i) => Math.max(...bits.slice(start, i + 1))),
        );
        expect(rounds).toBe(2 * Math.ceil(Math.log2(rows)));
      }),
      { numRuns: 40 },
    );
  });

  it.each(['MIN', 'MAX'] as const)(
    '%s of a run up to each row, signed and unsigned: 8 rounds per level',
    (which) => {
      fc.assert(
        fc.property(examples, fc.boolean(), (example, signed) => {
          const { seed, rows } = example;
          const { g, plain, starts } = along(example);
          const shares = share('boolean', plain.values, plain.next);
          const { results, rounds } = simulate(parties(seed), (party, i) =>
            runExtreme(party, g[i], toBits(shares[i], 32), { which, signed }),
          );
          const order = (word: number): number => (signed ? word : word >>> 0);
          const pick = which === 'MIN' ? Math.min : Math.max;
          const found = reveal('boolean', results.map(toWords));
          expect([...found].map(order)).toEqual(
            starts.map((start, i) =>
              pick(...Array.from(plain.values.subarray(start, i + 1), order)),
            ),
          );
          expect(rounds).toBe(8 * Math.ceil(Math.log2(rows)));
        }),
        { numRuns: 40 },
      );
    },
  );

  it('counts: MIN and MAX 8 rounds and 4 words per level, run OR 2 rounds and 3 bits', () => {
    const ROWS = 4096;
    const next = random(5);
    const values = share('boolean', words(ROWS, next), next);
    const g = shareBits(
      Array.from(words(ROWS, next), (word) => word & 1),
      next,
    );
    const extreme = simulate(parties(5), (party, i) =>
      runExtreme(party, g[i], toBits(values[i], 32), { which: 'MAX', signed: true }),
    );
    const either = simulate(parties(5), (party, i) => runOr(party, g[i], [g[i]], ROWS));
    expect([extreme.rounds, either.rounds]).toEqual([8 * 12, 2 * 12]);
    expect(extreme.busiest / ROWS).toBeLessThanOrEqual(4 * 12 * 1.05);
    expect((32 * either.busiest) / ROWS).toBeLessThanOrEqual(3 * 12 * 1.05);
  });
});
