import fc from 'fast-check';
import {
  bigOf,
  parties,
  random,
  reveal,
  share,
  shareBits,
  simulate,
  words,
  type Three,
} from '../../test/three.js';
import type { Plan } from '../compile/plan.js';
import { selectionsOf, type Rules } from '../protocol/disclosure.js';
import { toBits } from '../protocol/planes.js';
import type { Shares } from '../protocol/shares.js';
import type { Wanted } from './reduction.js';
import { finiteKeys, reduceSmall, staysSmall } from './small.js';

const RULES: Rules = {
  counted: 'rows',
  minGroupSize: 3,
  minOwners: 1,
  maxSharePercent: 100,
  residual: true,
  filters: 2,
  owners: [2],
};
const KEY = { kind: 'number', scale: 0, min: -1n, max: 1n } as const;
const PLAN = { keys: [0], columns: [{ type: KEY }] } as unknown as Plan;

/** Rows of two owners, with what is asked of their groups. */
function example(
  seed: number,
  rows: number,
): { wanted: Three<Wanted>; keys: Three<Shares>; plain: Plain } {
  const next = random(seed);
  const below = (bound: number): number => (next() >>> 0) % bound;
  const list = <T>(of: () => T): T[] => Array.from({ length: rows }, of);
  const live = list(() => below(4) > 0);
  const filters = [list(() => below(2) > 0), list(() => below(5) > 0)].map((bits) =>
    bits.map((bit, i) => bit && live[i]),
  );
  const plain: Plain = {
    live,
    filters,
    keys: list(() => below(3) - 1),
    values: words(rows, next),
    first: below(rows + 1),
  };
  const bits = (of: readonly boolean[]): ReturnType<typeof shareBits> =>
    shareBits(of.map(Number), next);
  const valid = bits(live);
  const held = filters.map(bits);
  const values = share('arithmetic', plain.values, next);
  const wanted = [0, 1, 2].map((i): Wanted => ({
    rows: { count: rows, valid: valid[i] },
    // Of owners whose rows are public no index is read.
    owners: [
      { count: 2, index: { rows, planes: [valid[i]] }, rows: [plain.first, rows - plain.first] },
    ],
    filters: held.map((plane) => plane[i]),
    sums: [undefined, 1].map((filter) => ({
      words: { form: 'arithmetic', shares: values[i] },
      filter,
    })),
    extremes: [],
    distinct: [],
    rules: RULES,
  })) as Three<Wanted>;
  return { wanted, keys: share('boolean', Int32Array.from(plain.keys), next), plain };
}
interface Plain {
  live: boolean[];
  filters: boolean[][];
  keys: number[];
  values: Int32Array;
  /** Rows of the first owner. */
  first: number;
}

describe('jobs.md 11.5: small key space', () => {
  it('counts, sums and members of each combination are those of plain evaluation', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(3, 33, 80), (seed, rows) => {
        const { wanted, keys, plain } = example(seed, rows);
        const { results } = simulate(parties(seed), (party, i) => {
          const finite = finiteKeys(PLAN, [toBits(keys[i], 2)], rows);
          return reduceSmall(party, finite ?? [], wanted[i]);
        });
        const rowsWith = (key: number, flags: readonly number[]): number[] =>
          plain.keys.flatMap((other, i) => {
            const owner = i < plain.first ? 2 : 3;
            const holds = flags.every((flag) =>
              flag < 2 ? plain.filters[flag][i] : flag === owner,
            );
            return other === key && plain.live[i] && holds ? [i] : [];
          });
        const slots = [-1, 0, 1];
        const counts = (of: (result: (typeof results)[0]) => Shares): number[] => [
          ...reveal('arithmetic', results.map(of)),
        ];
        const plainly = (flags: readonly number[]): number[] =>
          slots.map((key) => rowsWith(key, flags).length);
        expect(counts(({ count }) => count)).toEqual(plainly([]));
        for (const filter of [0, 1])
          expect(counts(({ filtered }) => filtered[filter])).toEqual(plainly([filter]));
        selectionsOf(RULES).forEach((selection, j) =>
          expect(counts(({ members }) => members[j])).toEqual(plainly(selection.with)),
        );
        [[], [1]].forEach((flags, j) =>
          expect(
            bigOf(
              reveal(
                'wide',
                results.map(({ sums }) => sums[j]),
              ),
            ),
          ).toEqual(
            slots.map((key) =>
              rowsWith(key, flags).reduce((sum, i) => sum + BigInt(plain.values[i]), 0n),
            ),
          ),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('is taken where it is faster than a sort, and where rows lie as they were brought', () => {
    const { wanted, keys } = example(1, 80);
    const finite = finiteKeys(PLAN, [toBits(keys[0], 2)], 80) ?? [];
    expect(staysSmall(finite, wanted[0])).toBe(true);
    const joined = wanted[0].owners.map(({ count, index }) => ({ count, index }));
    expect(staysSmall(finite, { ...wanted[0], owners: joined })).toBe(false);
    const values = Array.from({ length: 200 }, (_, value) => BigInt(value));
    const many = { ...wanted[0], rows: { count: 262_144 } };
    expect(staysSmall([{ ...finite[0], values }], many)).toBe(false);
    expect(finiteKeys(PLAN, [toBits(keys[0], 2)], 2)).toBeUndefined();
  });
});
