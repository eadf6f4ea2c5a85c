import fc from 'fast-check';
import { parties, random, revealBits, share, shareBits, simulate } from '../../test/three.js';
import { collect, frame } from './groups.js';
import { disclosedByLargest, ownerRuns } from './many-owners.js';
import { toBits, toWords } from './planes.js';

const cases = fc.record({
  seed: fc.integer(),
  rows: fc.constantFrom(1, 2, 33, 100),
  rules: fc.record({
    minGroupSize: fc.integer({ min: 1, max: 6 }),
    minOwners: fc.integer({ min: 1, max: 4 }),
    residual: fc.boolean(),
  }),
});

describe('jobs.md 11.12: over 16 owners', () => {
  it('groups are shown as if owners were counted one by one', () => {
    fc.assert(
      fc.property(cases, ({ seed, rows, rules }) => {
        const next = random(seed);
        const below = (bound: number): number => (next() >>> 0) % bound;
        const spread = 1 + below(20);
        const table = Array.from({ length: rows }, () => ({
          valid: Number(below(5) > 0),
          key: below(4),
          owner: below(spread),
        })).toSorted((a, b) => b.valid - a.valid || a.key - b.key || a.owner - b.owner);
        const column = (of: (row: (typeof table)[number]) => number): ReturnType<typeof share> =>
          share('boolean', Int32Array.from(table, of), next);
        const [keys, owners] = [column(({ key }) => key), column(({ owner }) => owner)];
        const valid = shareBits(
          table.map((row) => row.valid),
          next,
        );
        const { results } = simulate(parties(seed), function* (party, i) {
          const key = toBits(keys[i], 2).planes;
          const frames = {
            groups: yield* frame(party, key, valid[i], rows),
            owners: yield* frame(party, [...toBits(owners[i], 5).planes, ...key], valid[i], rows),
          };
          const { largest, ones } = yield* ownerRuns(party, frames, rows);
          const width = largest.planes.length;
          const { columns, sums, count } = yield* collect(
            party,
            frames.groups,
            [{ form: 'boolean', width, shares: toWords(largest) }],
            [{ form: 'arithmetic', shares: ones }],
          );
          const counts = { count, owners: sums[0], largest: toBits(columns[0].shares, width) };
          return yield* disclosedByLargest(party, rules, counts, rows);
        });
        const live = table.filter((row) => row.valid === 1);
        const expected = [...new Set(live.map(({ key }) => key))].map((key) => {
          const group = live.filter((row) => row.key === key);
          const sizes = [...new Set(group.map(({ owner }) => owner))].map(
            (owner) => group.filter((row) => row.owner === owner).length,
          );
          const rests = sizes.map((size) => group.length - size);
          const { minGroupSize: k } = rules;
          return (
            group.length >= k &&
            sizes.length >= rules.minOwners &&
            (!rules.residual || rests.every((rest) => rest === 0 || rest >= k))
          );
        });
        expect(revealBits(results, rows).slice(0, expected.length).map(Boolean)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
