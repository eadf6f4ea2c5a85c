import fc from 'fast-check';
import {
  parties,
  random,
  revealBits,
  share,
  shareBits,
  simulate,
  words,
  type Three,
} from '../../test/three.js';
import { disclosed, selectionsOf, type Rules } from './disclosure.js';
import { collect, frame } from './groups.js';
import { together } from './link.js';
import { memberWords, ownerFlags } from './members.js';
import { toBits } from './planes.js';
import type { Plane } from './shares.js';
import type { Column } from './shuffle.js';
import { total } from './sums.js';

interface Row {
  key: number;
  unit: number;
  /** Owner of the row in each table. */
  owners: number[];
  filters: boolean[];
  valid: boolean;
}

const KEY = 2;
const UNIT = 3;

/** The rules in plain, over the rows of one group. */
function plainly(rows: readonly Row[], rules: Rules): { group: boolean; filters: boolean[] } {
  const members = (of: (row: Row) => boolean): number => {
    const chosen = rows.filter(of);
    return rules.counted === 'unit' ? new Set(chosen.map(({ unit }) => unit)).size : chosen.length;
  };
  const k = rules.minGroupSize;
  const allowed = (count: number): boolean => count === 0 || count >= k;
  const owners = rules.owners.flatMap((count, table) =>
    count > 1 ? Array.from({ length: count }, (_, owner) => ({ table, owner })) : [],
  );
  const fit = (of: (row: Row) => boolean): boolean =>
    allowed(members(of)) &&
    (!rules.residual ||
      owners.every(({ table, owner }) =>
        allowed(members((row) => of(row) && row.owners[table] !== owner)),
      ));
  const all = members(() => true);
  const share = (table: number, owner: number): number =>
    members((row) => row.owners[table] === owner);
  const group =
    all >= k &&
    fit(() => true) &&
    rules.owners.some((count) => count >= rules.minOwners) &&
    rules.owners.every(
      (count, table) =>
        count === 1 ||
        Array.from({ length: count }, (_, owner) => share(table, owner)).filter((m) => m > 0)
          .length >= rules.minOwners,
    ) &&
    owners.every(({ table, owner }) => 100 * share(table, owner) <= rules.maxSharePercent * all);
  const filters = Array.from({ length: rules.filters }, (_, f) => {
    const inF = (row: Row): boolean => row.filters[f];
    const before = Array.from({ length: f }, (_, h) => h);
    return (
      members(inF) >= k &&
      fit(inF) &&
      fit((row) => !inF(row)) &&
      before.every(
        (h) =>
          fit((row) => inF(row) && !row.filters[h]) && fit((row) => row.filters[h] && !inF(row)),
      )
    );
  });
  return { group, filters };
}

const rulesGiven = fc.record({
  counted: fc.constantFrom('rows' as const, 'unit' as const),
  minGroupSize: fc.integer({ min: 1, max: 6 }),
  minOwners: fc.integer({ min: 1, max: 3 }),
  maxSharePercent: fc.constantFrom(50, 80, 100),
  residual: fc.boolean(),
  filters: fc.integer({ min: 0, max: 3 }),
  owners: fc.constantFrom([1], [2], [3], [5], [2, 1], [3, 2]),
});
const cases = fc.record({
  seed: fc.integer(),
  rows: fc.constantFrom(1, 20, 40, 100),
  rules: rulesGiven,
});

/** Rows sorted by (V descending, key, unit); filters and owners are rare or frequent by the seed. */
function rowsOf({ seed, rows, rules }: { seed: number; rows: number; rules: Rules }): Row[] {
  const next = random(seed);
  const below = (bound: number): number => (next() >>> 0) % bound;
  const bias = 1 + below(6);
  return Array.from({ length: rows }, (): Row => ({
    key: below(1 << KEY),
    unit: below(1 << UNIT),
    owners: rules.owners.map((count) => (below(bias) === 0 ? below(count) : 0)),
    filters: Array.from({ length: rules.filters }, () => below(bias) > 0),
    valid: below(5) > 0,
  })).toSorted((a, b) => Number(b.valid) - Number(a.valid) || a.key - b.key || a.unit - b.unit);
}

interface Shared {
  valid: Three<Plane>;
  filters: Three<Plane>[];
  owners: Three<Plane>[][];
  keys: ReturnType<typeof share>;
  units: ReturnType<typeof share>;
}
function shared(rows: readonly Row[], rules: Rules, seed: number): Shared {
  const next = random(seed ^ 5);
  const bits = (of: (row: Row) => boolean | number): Three<Plane> =>
    shareBits(
      rows.map((row) => Number(of(row))),
      next,
    );
  const column = (of: (row: Row) => number): ReturnType<typeof share> =>
    share('boolean', Int32Array.from(rows, of), next);
  return {
    valid: bits(({ valid }) => valid),
    filters: Array.from({ length: rules.filters }, (_, f) => bits((row) => row.filters[f])),
    owners: rules.owners.map((count, table) =>
      count === 1
        ? []
        : Array.from({ length: Math.ceil(Math.log2(count)) }, (_, j) =>
            bits((row) => (row.owners[table] >>> j) & 1),
          ),
    ),
    keys: column(({ key }) => key),
    units: column(({ unit }) => unit),
  };
}

describe('jobs.md 11.12: disclosure rules', () => {
  const verdicts = (
    results: readonly { group: Plane; filters: Plane[] }[],
    slots: number,
    rules: Rules,
  ): { group: boolean; filters: boolean[] }[] => {
    const bits = (of: (result: { group: Plane; filters: Plane[] }) => Plane): boolean[] =>
      revealBits(results.map(of), slots).map(Boolean);
    const group = bits((result) => result.group);
    const filters = Array.from({ length: rules.filters }, (_, f) => bits((r) => r.filters[f]));
    return group.map((shown, slot) => ({ group: shown, filters: filters.map((bit) => bit[slot]) }));
  };

  it('groups and filters are shown just as the rules say, over rows and over units', () => {
    fc.assert(
      fc.property(cases, (example) => {
        const { seed, rows, rules } = example;
        const plain = rowsOf(example);
        const given = shared(plain, rules, seed);
        const { results } = simulate(parties(seed), function* (party, i) {
          const owned = yield* together(
            ...given.owners.map((planes, table) =>
              ownerFlags(
                party,
                { rows, planes: planes.map((plane) => plane[i]) },
                planes.length > 0 ? rules.owners[table] : 0,
              ),
            ),
          );
          const flags = [...given.filters.map((plane) => plane[i]), ...owned.flat()];
          const key = toBits(given.keys[i], KEY).planes;
          const unit = toBits(given.units[i], UNIT).planes;
          const valid = given.valid[i];
          const groups = yield* frame(party, key, valid, rows);
          const units =
            rules.counted === 'unit'
              ? yield* frame(party, [...unit, ...key], valid, rows)
              : undefined;
          const members = yield* memberWords(
            party,
            { rows, valid, flags, units },
            selectionsOf(rules),
          );
          const summed = members.map((shares): Column => ({ form: 'arithmetic', shares }));
          const { sums } = yield* collect(party, groups, [], summed);
          return yield* disclosed(party, { rules, counts: sums, rows });
        });
        const live = plain.filter(({ valid }) => valid);
        const keys = [...new Set(live.map(({ key }) => key))];
        const expected = keys.map((key) =>
          plainly(
            live.filter((row) => row.key === key),
            rules,
          ),
        );
        expect(verdicts(results, rows, rules).slice(0, keys.length)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('without groups the sums of all rows are counted, and no live row at all shows nothing', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), (example, none) => {
        const { seed, rows } = example;
        const rules: Rules = { ...example.rules, counted: 'rows' };
        const plain = rowsOf({ ...example, rules }).map((row) => ({
          ...row,
          valid: row.valid && !none,
        }));
        const given = shared(plain, rules, seed);
        const { results } = simulate(parties(seed), function* (party, i) {
          const owned = yield* together(
            ...given.owners.map((planes, table) =>
              ownerFlags(
                party,
                { rows, planes: planes.map((plane) => plane[i]) },
                planes.length > 0 ? rules.owners[table] : 0,
              ),
            ),
          );
          const flags = [...given.filters.map((plane) => plane[i]), ...owned.flat()];
          const counted = { rows, valid: given.valid[i], flags };
          const members = yield* memberWords(party, counted, selectionsOf(rules));
          const counts = members.map((shares) => total({ form: 'arithmetic', shares }));
          return yield* disclosed(party, { rules, counts, rows });
        });
        const live = plain.filter(({ valid }) => valid);
        expect(verdicts(results, 1, rules)).toEqual([plainly(live, rules)]);
      }),
      { numRuns: 40 },
    );
  });

  const RULES: Rules = {
    counted: 'rows',
    minGroupSize: 5,
    minOwners: 1,
    maxSharePercent: 100,
    residual: true,
    filters: 0,
    owners: [2],
  };
  const row = (owner: number, filters: boolean[] = []): Row => ({
    key: 0,
    unit: 0,
    owners: [owner],
    filters,
    valid: true,
  });
  const times = (count: number, of: Row): Row[] => Array.from({ length: count }, () => of);
  const ask = (rows: Row[], rules: Rules): { group: boolean; filters: boolean[] } => {
    const given = shared(rows, rules, 1);
    const { results } = simulate(parties(1), function* (party, i) {
      const index = { rows: rows.length, planes: given.owners[0].map((plane) => plane[i]) };
      const flags = [
        ...given.filters.map((plane) => plane[i]),
        ...(yield* ownerFlags(party, index, 2)),
      ];
      const counted = { rows: rows.length, valid: given.valid[i], flags };
      const members = yield* memberWords(party, counted, selectionsOf(rules));
      const counts = members.map((shares) => total({ form: 'arithmetic', shares }));
      return yield* disclosed(party, { rules, counts, rows: rows.length });
    });
    return verdicts(results, 1, rules)[0];
  };

  it('jobs.md 13: owner counts (1, 4) are held back at k = 5, (5, 5) and (7, 0) are shown', () => {
    const shown = ([a, b]: number[]): boolean =>
      ask([...times(a, row(0)), ...times(b, row(1))], RULES).group;
    expect(
      [
        [1, 4],
        [5, 5],
        [7, 0],
      ].map(shown),
    ).toEqual([false, true, true]);
  });

  it('jobs.md 13: a filter on one person and on all but one is null, on five of ten it is not', () => {
    const rules = { ...RULES, filters: 1, residual: false };
    const of = (chosen: number): boolean[] =>
      ask([...times(chosen, row(0, [true])), ...times(10 - chosen, row(0, [false]))], rules)
        .filters;
    expect([of(1), of(9), of(5), of(10), of(0)]).toEqual([
      [false],
      [false],
      [true],
      [true],
      [false],
    ]);
  });

  it('two filters that differ in one person: the second is null', () => {
    const rules = { ...RULES, filters: 2, residual: false };
    const rows = [
      ...times(6, row(0, [true, true])),
      row(0, [true, false]),
      ...times(6, row(0, [false, false])),
    ];
    expect(ask(rows, rules).filters).toEqual([true, false]);
  });

  it('counts: 13 rounds and 15 words per count and slot, then an AND tree', () => {
    const SLOTS = 4096;
    const rules: Rules = { ...RULES, owners: [3] };
    const next = random(9);
    const counts = selectionsOf(rules).map(() => share('arithmetic', words(SLOTS, next), next));
    const { rounds, busiest } = simulate(parties(9), (party, i) =>
      disclosed(party, { rules, counts: counts.map((count) => count[i]), rows: 2 ** 30 }),
    );
    expect(rounds).toBe(13 + 2);
    expect(busiest / SLOTS).toBeLessThanOrEqual(15 * 4 * 1.05);
  });
});
