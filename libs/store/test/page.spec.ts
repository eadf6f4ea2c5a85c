import { migration, openStore, pageOf, startPostgres } from '../src/index.js';
import type { RunningPostgres, Store } from '../src/index.js';
import { logger, newDataDir } from './support.js';

let postgres: RunningPostgres;
let store: Store;

beforeAll(async () => {
  postgres = await startPostgres({ dataDir: newDataDir(), logger });
  const migrations = [migration('CreateThings1763700000000', 'CREATE TABLE things (id int)')];
  store = await openStore({ service: 'shop', url: postgres.url, migrations, logger });
});
afterAll(async () => {
  await store.close();
  await postgres.stop();
});
beforeEach(() => store.query('TRUNCATE things'));

const page = (offset: number, limit: number, atLeast = 0): ReturnType<typeof pageOf> =>
  pageOf<{ id: number }>(
    store,
    { select: 'id', from: 'things WHERE id >= $1', orderBy: 'id DESC' },
    [atLeast],
    { offset, limit },
  );
const add = (from: number, to: number): Promise<unknown> =>
  store.query('INSERT INTO things SELECT generate_series($1::int, $2::int)', [from, to]);

test('the rows of one page in their order, and how many there are in all', async () => {
  await add(1, 5);
  expect(await page(1, 2)).toMatchObject({ total: 5, rows: [{ id: 4 }, { id: 3 }] });
  expect(await page(0, 10, 4)).toMatchObject({ total: 2, rows: [{ id: 5 }, { id: 4 }] });
});

test('nothing at all, and a page behind the last one', async () => {
  expect(await page(0, 2)).toEqual({ total: 0, rows: [] });
  await add(1, 3);
  expect(await page(3, 2)).toEqual({ total: 3, rows: [] });
});

test('while rows are added, rows and total are of one moment', async () => {
  const done = new AbortController();
  const writer = (async () => {
    for (let id = 1; !done.signal.aborted; id += 1) await add(id, id);
  })();
  for (let i = 0; i < 200; i += 1) {
    const { total, rows } = await page(0, 1_000_000);
    expect(rows).toHaveLength(total);
  }
  done.abort();
  await writer;
});
