import fc from 'fast-check';
import { parties, planeAt, random, reveal, share, simulate, words } from '../../test/three.js';
import { joinUnique, type Joined } from './join.js';
import { lanes } from './planes.js';
import type { Shares } from './shares.js';

const tables = fc.record({
  seed: fc.integer(),
  /** Keys of the unique side; a repeated one breaks the declaration. */
  unique: fc.array(fc.nat(15), { minLength: 1, maxLength: 12 }),
  other: fc.array(fc.nat(15), { minLength: 1, maxLength: 30 }),
  /** Whether repeated keys are left in. */
  broken: fc.boolean(),
});

describe('jobs.md 11.6: join on a unique key', () => {
  it('gives each row of the other side its partner, or says that the key is not unique', () => {
    fc.assert(
      fc.property(tables, ({ seed, unique, other, broken }) => {
        const next = random(seed);
        const left = broken ? unique : [...new Set(unique)];
        const rows = left.length + other.length;
        const column = (of: (i: number) => number): Int32Array =>
          Int32Array.from({ length: rows }, (_, i) => of(i));
        const keys = column((i) => (i < left.length ? left[i] : other[i - left.length]));
        const side = column((i) => Number(i >= left.length));
        const valid = column(() => (next() >>> 30 === 0 ? 0 : 1));
        const payload = words(rows, next).map((word) => word & 0x3ff);
        const carried = words(rows, next);
        const shared = {
          keys: share('boolean', keys, next),
          side: share('boolean', side, next),
          valid: share('boolean', valid, next),
          payload: share('boolean', payload, next),
          carried: share('arithmetic', carried, next),
        };
        const { results } = simulate(parties(seed), (party, i) =>
          joinUnique(
            party,
            {
              keys: [{ shares: shared.keys[i], width: 4 }],
              side: planeAt(shared.side[i]),
              valid: planeAt(shared.valid[i]),
              payload: [{ shares: shared.payload[i], width: 10 }],
              columns: [{ form: 'arithmetic', shares: shared.carried[i] }],
            },
            other.length,
          ),
        );
        const isUnique = new Set(left).size === left.length;
        expect(results.map((result) => result.unique)).toEqual([isUnique, isUnique, isUnique]);
        if (!isUnique) return;
        const column3 = (of: (joined: Joined) => Shares): Shares[] => results.map(of);
        const live = lanes(
          reveal(
            'boolean',
            results.map((result) => result.valid),
          ),
          other.length,
        );
        const got = reveal(
          'boolean',
          column3((result) => result.payload[0]),
        );
        const kept = reveal(
          'arithmetic',
          column3((result) => result.columns[0].shares),
        );
        const found = [...live.keys()].filter((i) => live[i] === 1).map((i) => [kept[i], got[i]]);
        const plain = other.flatMap((key, i) => {
          const partner = left.indexOf(key);
          const both = partner >= 0 && valid[partner] === 1 && valid[left.length + i] === 1;
          return both ? [[carried[left.length + i], payload[partner]]] : [];
        });
        const text = (pairs: number[][]): string[] =>
          pairs.map((pair) => pair.join(' ')).toSorted();
        expect(text(found)).toEqual(text(plain));
        expect(kept).toHaveLength(other.length);
      }),
      { numRuns: 60 },
    );
  });
});
