import type { ColumnDeclaration } from '@glacis/shares';
import { compile } from '../compile/compile.js';
import type { CompileOptions } from '../compile/options.js';
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
});
