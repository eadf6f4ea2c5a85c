import type { ColumnDeclaration } from '@glacis/shares';
import { compile } from '../compile/compile.js';
import type { CompileOptions } from '../compile/options.js';
import { join, type Shares } from '../protocol/shares.js';
import { reveal } from '../../test/three.js';
import { openRows, runPlan, shareTables, type OwnerRows } from '../../test/tables.js';

type Tables = Record<string, Record<string, ColumnDeclaration>>;

function query(
  sql: string,
  tables: Tables,
  rows: OwnerRows[][],
  options: Partial<CompileOptions> = {},
): (bigint | null)[][] {
  const { plan } = compile(sql, new Map(Object.entries(tables)), { minGroupSize: 1, ...options });
  const { results } = runPlan(plan, shareTables(plan, rows, { seed: 7 }), 7);
  return openRows(plan, results);
}

const sortedRows = (rows: (bigint | null)[][]): string[] => rows.map(String).toSorted();

const PEOPLE = {
  p: { age: 'years', sex: { type: 'CATEGORY', categories: ['f', 'm'] }, pay: 'EUR' },
} as const;
const people: OwnerRows = Array.from({ length: 40 }, (_, i) => ({
  age: BigInt((i * 7) % 90),
  sex: BigInt(i % 2),
  pay: BigInt(i * 1000 - 9000),
}));

const caught = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (error) {
    return error;
  }
};

describe('jobs.md 8, stage D', () => {
  const tables = {
    p: { age: { type: 'INTEGER', unit: 'years', min: 0, max: 120 }, pay: 'EUR' },
  } as const;
  const rows = [5, 3].map((count) =>
    Array.from({ length: count }, (_, i): Record<string, bigint> => ({
      age: BigInt(20 + i),
      pay: 7n,
    })),
  );

  it('a value outside of its declaration names owner and column', () => {
    const bad = rows.map((own) => own.map((row) => ({ ...row })));
    bad[1][2].age = 121n;
    const sql = 'SELECT SUM(pay) FROM p WHERE age > 30';
    expect(query(sql, tables, [rows])).toEqual([]);
    expect(caught(() => query(sql, tables, [bad]))).toMatchObject({
      code: 'out_of_range',
      table: 0,
      column: 'age',
      owner: 1,
    });
  });

  it('two forms that say different things name owner and column', () => {
    const { plan } = compile(
      'SELECT SUM(pay) FROM p WHERE pay < 10',
      new Map(Object.entries(tables)),
      {
        minGroupSize: 1,
      },
    );
    const inputs = shareTables(plan, [rows], { seed: 3 });
    for (const { tables: loaded } of inputs) {
      const { own, next } = loaded[0].columns.get('pay')!.boolean as Shares;
      own[6] ^= 4;
      next[6] ^= 4;
    }
    expect(caught(() => runPlan(plan, inputs, 3))).toMatchObject({
      code: 'inconsistent_forms',
      column: 'pay',
      owner: 1,
    });
  });
});

describe('jobs.md 11.6', () => {
  it('a join key that is not unique ends the run', () => {
    const tables = {
      visits: { person: 'id', cost: 'EUR' },
      people: { id: { type: 'INTEGER', unit: 'id', unique: true }, age: 'years' },
    } as const;
    const visits = [[1n, 2n, 1n].map((person) => ({ person, cost: 5n }))];
    const people = (ids: bigint[]): OwnerRows[] => [ids.map((id) => ({ id, age: 30n }))];
    const sql = 'SELECT SUM(cost), SUM(age) FROM visits JOIN people ON person = id';
    expect(query(sql, tables, [visits, people([2n, 1n])])).toEqual([[15n, 90n]]);
    expect(caught(() => query(sql, tables, [visits, people([2n, 2n])]))).toMatchObject({
      code: 'join_key_not_unique',
      table: 1,
      column: 'id',
    });
  });
});

describe('jobs.md 11.5: whole queries', () => {
  it('COUNT(*) and SUM by group, with WHERE', () => {
    const found = query(
      'SELECT sex, COUNT(*), SUM(pay) FROM p WHERE age >= 18 AND pay < 20000 GROUP BY sex',
      PEOPLE,
      [[people]],
    );
    const kept = people.filter(({ age, pay }) => age >= 18n && pay < 20000n);
    const expected = [0n, 1n].map((sex) => {
      const own = kept.filter((row) => row.sex === sex);
      return [sex, BigInt(own.length), own.reduce((sum, { pay }) => sum + pay, 0n)];
    });
    expect(sortedRows(found)).toEqual(sortedRows(expected));
  });

  it('jobs.md 11.12: over 16 owners the largest is left out of the residual rule', () => {
    const tables = { p: { age: 'years', pay: { unit: 'EUR', type: 'INTEGER', min: 0, max: 99 } } };
    const owner = (ages: readonly bigint[]): OwnerRows => ages.map((age) => ({ age, pay: age }));
    // Of age 1 one owner has all but two rows; age 2 comes from many; age 3 from one alone.
    const owners = Array.from({ length: 20 }, (_, index) =>
      owner([2n, ...(index < 2 ? [1n] : []), ...(index === 5 ? Array<bigint>(9).fill(1n) : [])]),
    );
    owners.push(owner(Array<bigint>(6).fill(3n)));
    const sql = 'SELECT age, COUNT(*), SUM(pay) FROM p GROUP BY age';
    const of = (options: Partial<CompileOptions>): string[] =>
      sortedRows(query(sql, tables as Tables, [owners], { minGroupSize: 5, ...options }));
    expect(of({})).toEqual(['2,20,40', '3,6,18']);
    expect(of({ residual: false })).toEqual(['1,11,11', '2,20,40', '3,6,18']);
    expect(of({ minOwners: 2 })).toEqual(['2,20,40']);
  });

  it('jobs.md 11.7: slots that are not shown open to zero in every column, whatever is asked', () => {
    const asked = [
      'SELECT age, sex, COUNT(*), SUM(pay), AVG(pay), MIN(pay) FROM p GROUP BY age, sex',
      'SELECT sex, SUM(pay) FILTER (WHERE age > 30), COUNT(*) FROM p WHERE pay < 0 GROUP BY sex ORDER BY sex',
      'SELECT age, MAX(pay), COUNT(DISTINCT sex) FROM p WHERE pay > 0 GROUP BY age LIMIT 3',
      'SELECT SUM(pay), AVG(age), MAX(age) FROM p WHERE age > 88',
    ];
    for (const sql of asked) {
      const { plan } = compile(sql, new Map(Object.entries(PEOPLE as Tables)), { minGroupSize: 5 });
      const { results } = runPlan(plan, shareTables(plan, [[people]], { seed: 3 }), 3);
      const headers = results[0].columns.map(({ header }) => header);
      const column = (header: string): Shares[] =>
        results.map(({ columns }) => columns[headers.indexOf(header)].words);
      const opened = headers.flatMap((header): Int32Array[] => {
        if (header.startsWith('[')) return [reveal('boolean', column(header))];
        if (header.endsWith('#hi')) return [];
        if (!headers.includes(`${header}#hi`)) return [reveal('arithmetic', column(header))];
        const high = column(`${header}#hi`);
        const wide = reveal(
          'wide',
          column(header).map((low, i) => join([low, high[i]])),
        );
        return [wide.subarray(0, wide.length / 2), wide.subarray(wide.length / 2)];
      });
      const valid = reveal('boolean', column('[#V]'));
      const dead = [...valid.keys()].filter((slot) => valid[slot] === 0);
      for (const slot of dead)
        expect(opened.map((words) => words[slot])).toEqual(opened.map(() => 0));
      expect(dead.length).toBeGreaterThan(0);
    }
  });
});
