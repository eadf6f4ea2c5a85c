import type { ColumnDeclaration } from '@glacis/shares';
import { random } from '../../test/three.js';
import { runPlan, shareTables, type OwnerRows } from '../../test/tables.js';
import { compile } from '../compile/compile.js';
import { Refusal } from '../sql/refusal.js';
import { estimate, LAN, WAN } from './estimate.js';

type Declared = Record<string, Record<string, ColumnDeclaration>>;

const visits: Declared = {
  visits: {
    person: { type: 'INTEGER', unit: 'id', min: 0, max: 199 },
    ward: { type: 'CATEGORY', categories: ['a', 'b', 'c'] },
    code: { type: 'INTEGER', unit: 'code', min: 0, max: 1000 },
    cost: 'EUR',
    score: { type: 'DECIMAL', scale: 2, min: '-100.00', max: '100.00' },
  },
};
const people: Declared = {
  people: {
    id: { type: 'INTEGER', unit: 'id', min: 0, max: 199, unique: true },
    age: { type: 'INTEGER', unit: 'years', min: 0, max: 120 },
  },
};

const next = random(11);
const below = (bound: number): bigint => BigInt((next() >>> 0) % bound);
const rowsOf = (count: number): OwnerRows =>
  Array.from({ length: count }, () => ({
    person: below(200),
    ward: below(3),
    code: below(40),
    cost: below(5000),
    score: below(20_000) - 10_000n,
  }));
const persons: OwnerRows = Array.from({ length: 60 }, (_, id) => ({
  id: BigInt(id),
  age: below(90),
}));

const queries = [
  "SELECT COUNT(*), SUM(cost) FROM visits WHERE cost > 100 AND ward IN ('a', 'b')",
  'SELECT ward, AVG(score) FROM visits GROUP BY ward',
  'SELECT code, COUNT(*), SUM(cost), MAX(score) FROM visits WHERE score > 0 GROUP BY code HAVING COUNT(*) > 2 ORDER BY 2 DESC LIMIT 5',
  'SELECT code, SUM(cost * 2) FILTER (WHERE score < 0), COUNT(*) FROM visits GROUP BY code',
  'SELECT ward, COUNT(DISTINCT person) FROM visits GROUP BY ward',
  'SELECT MIN(cost), MAX(cost) FROM visits',
  'SELECT ward, cost FROM visits WHERE code BETWEEN 3 AND 9 ORDER BY cost',
  'SELECT ward, AVG(age) FROM visits JOIN people ON person = id GROUP BY ward',
];

describe('jobs.md 9: the estimate', () => {
  it.each(queries)('rounds are within 5 %% of those of a run, bytes not far: %s', (sql) => {
    const joined = sql.includes('JOIN');
    const tables = joined ? { ...visits, ...people } : visits;
    const { plan } = compile(sql, new Map(Object.entries(tables)), { rawRows: 'allow' });
    const owners = [rowsOf(180), rowsOf(120)];
    const inputs = shareTables(plan, joined ? [owners, [persons]] : [owners], { seed: 5 });
    const { rounds, busiest } = runPlan(plan, inputs, 5);
    const rows = joined ? [300, 60] : [300];
    const found = estimate(plan, rows, LAN, joined ? [2, 1] : [2]);
    expect(rounds / found.rounds).toBeLessThanOrEqual(1.05);
    expect(rounds / found.rounds).toBeGreaterThan(0.9);
    expect((4 * busiest) / found.bytesPerParty).toBeLessThan(1.2);
    expect((4 * busiest) / found.bytesPerParty).toBeGreaterThan(0.8);
  });

  it('adds 8 ns per byte, the bytes over the network, and the round trips', () => {
    const { plan } = compile(queries[0], new Map(Object.entries(visits)));
    const { rounds, bytesPerParty, nanoseconds } = estimate(plan, [65_536], WAN);
    const expected = 8 * bytesPerParty + (bytesPerParty * 8) / 6 + rounds * 20_000_000;
    expect(Math.abs(nanoseconds - expected)).toBeLessThanOrEqual(1);
  });

  it('jobs.md 11.2: a query of too many rounds is refused with its place', () => {
    const run = (maxRounds: number): unknown =>
      compile(queries[2], new Map(Object.entries(visits)), { maxRounds });
    expect(() => run(50_000)).not.toThrow();
    expect(() => run(100)).toThrow(Refusal);
    expect(() => run(100)).toThrow(/takes \d+ rounds/);
  });
});
