import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ComputeProviders } from '../src/compute/compute-providers.js';
import { endOf, example, prepared, resultOf, statusOf, submit, type Table } from './story.js';
import { Stand } from './stand.js';

let stand: Stand;

beforeAll(async () => {
  stand = await Stand.start();
});
afterAll(() => stand.stop());

/** What the query of the example gives on all tables in the clear, groups that are held back left out. */
function expected(tables: readonly Table[]): Record<string, number>[] {
  const groups = new Map<number, number[]>();
  for (const { age = 0, city = 0 } of tables.flat())
    groups.set(city, [...(groups.get(city) ?? []), age]);
  return [...groups]
    .map(([city, ages]) => ({ city, n: ages.length, total: ages.reduce((a, b) => a + b, 0) }))
    .filter(({ n }) => n >= 5);
}

const byCity = (a: { city?: number }, b: { city?: number }): number =>
  (a.city ?? 0) - (b.city ?? 0);

describe('jobs.md: a whole job in local execution', () => {
  it('goes from create_job to the opened rows over three processes, and leaves none', async () => {
    const service = stand.program;
    const job = await prepared(service);
    expect((await statusOf(service, job)).status).toBe(409);
    const submitted = await submit(service, job);
    expect(submitted).toMatchObject({ status: 200, body: { status: 'success', job_id: job.id } });
    const { body } = await endOf(service, job);
    expect(body).toMatchObject({ status: 'Success', execution: 'local', teardown: 'done' });
    const rows = (await resultOf(body.result)).map((row) => ({
      city: row['[city]'] ?? row['city'],
      n: row['n'],
      total: row['total'],
    }));
    expect(rows.toSorted(byCity)).toEqual(expected(Object.values(example.tables)).toSorted(byCity));
    const [compute] = stand.get(ComputeProviders).all();
    expect(await compute?.listByTag({}, { timeoutMs: 1_000 })).toEqual([]);
    const kept = await readdir(join(stand.folder, 'jobs', 'parties', job.id, '0'));
    expect(kept.filter((name) => name !== 'agent.json' && !name.endsWith('.key'))).toEqual([]);
  });
});
