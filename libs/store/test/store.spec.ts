import { waitFor } from '@glacis/runtime';
import { Global, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createLogger, LOGGER } from '@glacis/observability';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  conflictOf,
  migration,
  openStore,
  startPostgres,
  TransactionAbortedError,
  TransactionEndedError,
  type MigrationClass,
  type RunningPostgres,
  DATABASE_URL,
  Store,
  StoreModule,
  type StoreOptions,
  type Tx,
} from '../src/index.js';
import { logger, newDataDir } from './support.js';

let postgres: RunningPostgres;
let dataDir: string;
const opened: Store[] = [];

const createItems = migration(
  'CreateItems1763700000000',
  'CREATE TABLE items (id int PRIMARY KEY, name text CONSTRAINT items_name UNIQUE, count int NOT NULL DEFAULT 0)',
);

async function open(o: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore({
    service: 'shop',
    url: postgres.url,
    migrations: [createItems],
    logger,
    ...o,
  });
  opened.push(store);
  return store;
}

/** Lets `count` callers pass only when all of them have come. */
function barrier(count: number): () => Promise<void> {
  let open: () => void;
  const all = new Promise<void>((resolve) => (open = resolve));
  return async () => {
    if (--count === 0) open();
    await all;
  };
}

beforeAll(async () => {
  dataDir = newDataDir();
  postgres = await startPostgres({ dataDir, logger, settings: { log_statement: 'all' } });
});

afterEach(async () => {
  const stores = opened.splice(0);
  await stores[0]?.query('DROP SCHEMA IF EXISTS shop, other CASCADE');
  await Promise.all(stores.map((store) => store.close()));
});

afterAll(() => postgres.stop());

describe('query', () => {
  it('gives rows with their JavaScript types, and none where a statement returns none', async () => {
    const store = await open();
    const [row] = await store.query(
      `SELECT $1::timestamptz AS at, 9007199254740993 AS big, 1.10::numeric AS num, '{"a":[1]}'::jsonb AS doc,
         '\\x00ff'::bytea AS raw, true AS yes, $2::text AS nothing`,
      [new Date('2026-01-02T03:04:05.678Z'), null],
    );
    expect(row).toEqual({
      at: new Date('2026-01-02T03:04:05.678Z'),
      big: '9007199254740993',
      num: '1.10',
      doc: { a: [1] },
      raw: Buffer.from([0, 255]),
      yes: true,
      nothing: null,
    });
    expect(await store.query('INSERT INTO items (id) VALUES (1)')).toEqual([]);
    expect(await store.query('UPDATE items SET count = 2 RETURNING count')).toEqual([{ count: 2 }]);
    expect(await store.query('DELETE FROM items')).toEqual([]);
  });

  it('sees the schema of its service only', async () => {
    const store = await open();
    const other = await open({ service: 'other', migrations: [] });
    await store.query('INSERT INTO items (id) VALUES (1)');
    await expect(other.query('SELECT * FROM items')).rejects.toMatchObject({ code: '42P01' });
  });

  it('ends a statement, and a wait for a lock, that takes too long', async () => {
    const store = await open({ statementTimeoutMs: 200 });
    await expect(store.query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
    const waiting = await open({ lockTimeoutMs: 50 });
    await store.query('INSERT INTO items (id) VALUES (1)');
    await waiting.transaction(async (tx) => {
      await tx.query('UPDATE items SET count = 1');
      const blocked = waiting.query('UPDATE items SET count = 2');
      await expect(blocked).rejects.toMatchObject({ code: '55P03' });
    });
  });

  it('goes on when another process has changed a table under a prepared statement', async () => {
    const store = await open();
    await store.query('INSERT INTO items (id) VALUES (1)');
    const all = () => store.query('SELECT * FROM items WHERE id = $1', [1]);
    const allInTransaction = () =>
      store.transaction((tx) => tx.query('SELECT * FROM items WHERE id = $1', [1]));
    await all();
    const newer = await open({
      migrations: [createItems, migration('AddOne1763700000001', 'ALTER TABLE items ADD one int')],
    });
    expect(await all()).toEqual([{ id: 1, name: null, count: 0, one: null }]);
    await newer.query('ALTER TABLE items ADD two int');
    expect(await allInTransaction()).toMatchObject([{ id: 1, one: null, two: null }]);
  });

  it('keeps a plan that still reads through the index when the table has grown', async () => {
    const store = await open({ poolSize: 1 });
    await store.query('CREATE TABLE grown (id int PRIMARY KEY)');
    await store.query('INSERT INTO grown VALUES (1)');
    const read = 'SELECT id FROM grown WHERE id = ANY($1::int[])';
    const ids = Array.from({ length: 30 }, (_, i) => i);
    for (let i = 0; i < 10; i++) await store.query(read, [ids]);
    const [kept] = await store.query<{ plans: number; name: string }>(
      'SELECT generic_plans::int AS plans, name FROM pg_prepared_statements WHERE statement = $1',
      [read],
    );
    expect(kept?.plans).toBeGreaterThan(0);
    await store.query('INSERT INTO grown SELECT generate_series(2, 50000)');
    const plan = await store.query(`EXPLAIN EXECUTE "${kept?.name}" ('{1}')`);
    expect(JSON.stringify(plan)).toMatch(/Index/);
  });

  it('keeps at most 500 statements prepared on a connection', async () => {
    const store = await open({ poolSize: 1 });
    for (let i = 0; i < 520; i++) {
      await store.query(`SELECT $1::int + ${i} AS sum`, [i]);
    }
    const [row] = await store.query('SELECT count(*)::int AS prepared FROM pg_prepared_statements');
    expect(row).toEqual({ prepared: 500 });
  });

  it('refuses a service name that is no plain identifier', async () => {
    await expect(open({ service: 'a"; DROP SCHEMA shop' })).rejects.toThrow('not a name');
  });

  it('keeps working, and logs no setting of the connection, when connections are cut', async () => {
    const lines: string[] = [];
    const own = createLogger({ name: 't', destination: { write: (line) => lines.push(line) } });
    const store = await open({ logger: own, url: postgres.url.replace('@', ':hush@') });
    const other = await open({ service: 'other', migrations: [] });
    await Promise.all([store.ping(), store.ping(), store.ping()]);
    await other.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'glacis-shop'`,
    );
    await waitFor(() => lines.some((line) => line.includes('database connection lost')));
    await waitFor(() => store.ping().then(() => true));
    expect(lines.join('')).not.toContain('hush');
  });
});

describe('transaction', () => {
  const count = async (store: Store): Promise<number> =>
    (await store.query('SELECT id FROM items')).length;

  it('costs exactly BEGIN, its statements and COMMIT', async () => {
    const store = await open();
    const before = (await readFile(join(dataDir, 'postgres.log'), 'utf8')).length;
    await store.transaction(async (tx) => {
      await tx.query('INSERT INTO items (id) VALUES ($1)', [1]);
      await tx.query('UPDATE items SET count = 3');
    });
    const log = (await readFile(join(dataDir, 'postgres.log'), 'utf8')).slice(before);
    const statements = [...log.matchAll(/(?:statement|execute \w+): (.*)/g)];
    expect(statements.map(([, text]) => text)).toEqual([
      'BEGIN',
      'INSERT INTO items (id) VALUES ($1)',
      'UPDATE items SET count = 3',
      'COMMIT',
    ]);
  });

  it('writes all or nothing, and gives the result or the error of the work', async () => {
    const store = await open();
    const insert = (tx: Tx, id: number) => tx.query('INSERT INTO items (id) VALUES ($1)', [id]);
    const result = await store.transaction(async (tx) => {
      await insert(tx, 1);
      return 'done';
    });
    expect(result).toBe('done');
    const failure = store.transaction(async (tx) => {
      await insert(tx, 2);
      throw new Error('changed my mind');
    });
    await expect(failure).rejects.toThrow('changed my mind');
    expect(await count(store)).toBe(1);
  });

  it('calls what waits for the commit after it, in order, and never after a rollback', async () => {
    const store = await open();
    const seen: unknown[] = [];
    await store.transaction(async (tx) => {
      await tx.query('INSERT INTO items (id) VALUES (1)');
      tx.afterCommit(() => seen.push('first'));
      tx.afterCommit(() => {
        throw new Error('a fault of the callback');
      });
      tx.afterCommit(() => seen.push('second'));
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual(['first', 'second']);
    const failure = store.transaction(async (tx) => {
      tx.afterCommit(() => seen.push('never'));
      throw new Error('no');
    });
    await expect(failure).rejects.toThrow('no');
    expect(seen).toEqual(['first', 'second']);
  });

  it('says so when the work swallowed the error of a statement, as nothing is written then', async () => {
    const store = await open();
    const failure = store.transaction(async (tx) => {
      await tx.query('INSERT INTO items (id) VALUES (1)');
      await tx.query('SELECT 1 / 0').catch(() => undefined);
    });
    await expect(failure).rejects.toBeInstanceOf(TransactionAbortedError);
    expect(await count(store)).toBe(0);
  });

  it('cannot be used after it has ended', async () => {
    const store = await open();
    let kept: Tx | undefined;
    await store.transaction(async (tx) => void (kept = tx));
    await expect(kept?.query('SELECT 1')).rejects.toBeInstanceOf(TransactionEndedError);
  });

  it('runs again after a deadlock', async () => {
    const store = await open();
    await store.query('INSERT INTO items (id) VALUES (1), (2)');
    const bothHoldOne = barrier(2);
    let runs = 0;
    const add = (ids: number[]): Promise<void> =>
      store.transaction(async (tx) => {
        const first = ++runs <= 2;
        await tx.query('UPDATE items SET count = count + 1 WHERE id = $1', [ids[0]]);
        if (first) await bothHoldOne();
        await tx.query('UPDATE items SET count = count + 1 WHERE id = $1', [ids[1]]);
      });
    await Promise.all([add([1, 2]), add([2, 1])]);
    // Postgres may end both.
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(await store.query('SELECT count FROM items')).toEqual([{ count: 2 }, { count: 2 }]);
  });

  it('runs again after a serialization failure, calling only what the last run asked for', async () => {
    const store = await open();
    await store.query('INSERT INTO items (id) VALUES (1)');
    const bothRead = barrier(2);
    const announced: number[] = [];
    let runs = 0;
    const increment = (): Promise<void> =>
      store.transaction(async (tx) => {
        const run = ++runs;
        await tx.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
        const [row] = await tx.query<{ count: number }>('SELECT count FROM items');
        if (run <= 2) await bothRead();
        await tx.query('UPDATE items SET count = $1::int + 1', [row?.count]);
        tx.afterCommit(() => announced.push(run));
      });
    await Promise.all([increment(), increment()]);
    expect(await store.query('SELECT count FROM items')).toEqual([{ count: 2 }]);
    expect(announced).toHaveLength(2);
  });

  it('gives up after three more tries', async () => {
    const store = await open();
    let runs = 0;
    const failure = store.transaction(async (tx) => {
      runs++;
      await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
    });
    await expect(failure).rejects.toMatchObject({ code: '40001' });
    expect(runs).toBe(4);
  });

  it('always gives its connection back', async () => {
    const store = await open({ poolSize: 2 });
    const failures = Array.from({ length: 30 }, (_, i) =>
      store.transaction(async (tx) => {
        await tx.query(i % 2 ? 'SELECT 1 / 0' : 'SELECT 1');
        throw new Error('no');
      }),
    );
    const settled = await Promise.allSettled(failures);
    expect(settled.every(({ status }) => status === 'rejected')).toBe(true);
    const [row] = await store.query<{ idle: number }>(
      `SELECT count(*)::int AS idle FROM pg_stat_activity
       WHERE application_name = 'glacis-shop' AND state LIKE 'idle in%'`,
    );
    expect(row?.idle).toBe(0);
    await Promise.all([store.ping(), store.ping(), store.ping()]);
  });

  it('fails, and harms nothing else, when its connection is cut', async () => {
    const store = await open({ poolSize: 1 });
    const other = await open({ service: 'other', migrations: [] });
    const failure = store.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await tx.query('INSERT INTO items (id) VALUES (1)');
      await other.query('SELECT pg_terminate_backend($1)', [row?.pid]);
      await waitFor(async () => {
        const alive = 'SELECT pid FROM pg_stat_activity WHERE pid = $1';
        return (await other.query(alive, [row?.pid])).length === 0;
      });
      await tx.query('INSERT INTO items (id) VALUES (2)');
    });
    await expect(failure).rejects.toThrow(/connection|EPIPE/);
    expect(await count(store)).toBe(0);
  });

  it('names the constraint that refused a row, through wrapped errors', async () => {
    const store = await open();
    await store.query(`INSERT INTO items (id, name) VALUES (1, 'a')`);
    const error: unknown = await store
      .query(`INSERT INTO items (id, name) VALUES (2, 'a')`)
      .catch((caught: unknown) => new Error('wrapped', { cause: caught }));
    expect(conflictOf(error)).toBe('items_name');
    expect(conflictOf(new Error('other'))).toBeNull();
    expect(conflictOf(await store.query('SELECT 1 / 0').catch((e: unknown) => e))).toBeNull();
    expect(conflictOf(undefined)).toBeNull();
  });
});

describe('migrations', () => {
  it('run once each when several processes start at once', async () => {
    const steps: MigrationClass[] = [
      migration('First1763700000001', 'CREATE TABLE log (step text)', 'SELECT pg_sleep(0.05)'),
      migration('Second1763700000002', `INSERT INTO log VALUES ('second')`),
    ];
    const stores = await Promise.all(Array.from({ length: 5 }, () => open({ migrations: steps })));
    expect(await stores[0]?.query('SELECT step FROM log')).toEqual([{ step: 'second' }]);
  });

  it('run in the order of their timestamps, only those that are pending', async () => {
    const first = migration('First1763700000001', 'CREATE TABLE log (step text)');
    const second = migration('Second1763700000002', `INSERT INTO log VALUES ('second')`);
    const third = migration('Third1763700000003', `INSERT INTO log VALUES ('third')`);
    await open({ migrations: [second, first] });
    const store = await open({ migrations: [third, second, first] });
    expect(await store.query('SELECT step FROM log')).toEqual([
      { step: 'second' },
      { step: 'third' },
    ]);
  });

  it('leave nothing behind when one fails, and go on from there once it is mended', async () => {
    const first = migration('First1763700000001', 'CREATE TABLE log (step text)');
    const broken = migration('Second1763700000002', 'CREATE TABLE half ()', 'SELECT 1 / 0');
    const mended = migration('Second1763700000002', 'CREATE TABLE half ()');
    await expect(open({ migrations: [first, broken] })).rejects.toThrow(
      'migration Second1763700000002 failed: division by zero',
    );
    const store = await open({ migrations: [first, mended] });
    expect(await store.query('SELECT * FROM half')).toEqual([]);
  });

  it('go forward only, and bear a timestamp', async () => {
    const step = new (migration('First1763700000001'))();
    await expect(step.down(undefined as never)).rejects.toThrow('forward only');
    expect(() => migration('First')).toThrow('13-digit timestamp');
  });
});

describe('StoreModule', () => {
  it('gives each service its own store, and closes it on shutdown', async () => {
    @Global()
    @Module({
      providers: [
        { provide: DATABASE_URL, useFactory: () => postgres.url },
        { provide: LOGGER, useValue: logger },
      ],
      exports: [DATABASE_URL, LOGGER],
    })
    class Host {}
    @Injectable()
    class Shelf {
      constructor(readonly store: Store) {}
    }
    @Module({ imports: [StoreModule.forService('shop', [createItems])], providers: [Shelf] })
    class Shop {}
    @Module({ imports: [StoreModule.forService('other', [])], providers: [Shelf] })
    class Other {}
    @Module({ imports: [Host, Shop, Other] })
    class Suite {}

    const app = await Test.createTestingModule({ imports: [Suite] }).compile();
    const [shop, other] = [Shop, Other].map(
      (each) => app.select(each).get(Shelf, { strict: true }).store,
    );
    expect(await shop?.query('SELECT id FROM items')).toEqual([]);
    expect(other?.service).toBe('other');
    await app.close();
    await expect(shop?.ping()).rejects.toThrow('after calling end');
    await expect(other?.ping()).rejects.toThrow('after calling end');
    await open();
  });
});

describe('locks', () => {
  it('have one holder among stores, and within one', async () => {
    const [one, two] = [await open(), await open()];
    const held = (await one.tryLock('relay'))!;
    expect(await one.tryLock('relay')).toBeNull();
    expect(await two.tryLock('relay')).toBeNull();
    expect(await two.tryLock('sealer')).not.toBeNull();
    await held.release();
    await held.release();
    const next = (await two.tryLock('relay'))!;
    expect(next.lost.aborted).toBe(false);
    expect(await one.tryLock('relay')).toBeNull();
  });

  it('are granted once to callers that ask at the same time', async () => {
    const store = await open();
    const asked = await Promise.all(Array.from({ length: 10 }, () => store.tryLock('relay')));
    expect(asked.filter(Boolean)).toHaveLength(1);
  });

  it('belong to one service', async () => {
    const [shop, other] = [await open(), await open({ service: 'other', migrations: [] })];
    expect(await shop.tryLock('relay')).not.toBeNull();
    expect(await other.tryLock('relay')).not.toBeNull();
  });

  it('are lost, and free for others, when their connection dies', async () => {
    const [one, two] = [await open(), await open()];
    const held = (await one.tryLock('relay'))!;
    const lost = new Promise((resolve) => held.lost.addEventListener('abort', resolve));
    await two.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
    await lost;
    expect(held.lost.aborted).toBe(true);
    await held.release();
    const next = await waitFor(async () => (await two.tryLock('relay')) ?? undefined);
    expect(next.lost.aborted).toBe(false);
  });

  it('taken anew after a loss are not taken for lost', async () => {
    const [one, two] = [await open(), await open()];
    for (let round = 0; round < 10; round++) {
      const held = await waitFor(async () => (await one.tryLock('relay')) ?? undefined);
      await two.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
      await waitFor(() => held.lost.aborted);
    }
    const held = await waitFor(async () => (await one.tryLock('relay')) ?? undefined);
    await waitFor(async () => {
      const sessions = `SELECT pid FROM pg_locks WHERE locktype = 'advisory'`;
      return (await two.query(sessions)).length === 1;
    });
    expect(held.lost.aborted).toBe(false);
    expect(await two.tryLock('relay')).toBeNull();
  });

  it('can be nudged by whoever does not hold them, and nobody else hears it', async () => {
    const [one, two, other] = [
      await open(),
      await open(),
      await open({ service: 'other', migrations: [] }),
    ];
    const heard: string[] = [];
    const first = (await one.tryLock('relay', () => heard.push('one')))!;
    await one.tryLock('sealer', () => heard.push('sealer'));
    await other.tryLock('relay', () => heard.push('other service'));
    expect(await two.tryLock('relay', () => heard.push('two'))).toBeNull();
    await two.nudge('relay');
    await waitFor(() => heard.length === 1);
    await first.release();
    await two.tryLock('relay', () => heard.push('two'));
    await one.nudge('relay');
    await waitFor(() => heard.includes('two'));
    await two.nudge('nobody has it');
    // The next holder may also hear what was meant for the one before: that costs a look and nothing else.
    expect(heard.filter((who) => who !== 'two')).toEqual(['one']);
  });

  it('are released when the store is closed', async () => {
    const [one, two] = [await open(), await open()];
    const held = (await one.tryLock('relay'))!;
    opened.splice(opened.indexOf(one), 1);
    await one.close();
    expect(held.lost.aborted).toBe(true);
    expect(await waitFor(async () => (await two.tryLock('relay')) ?? undefined)).toBeDefined();
  });

  it('let one work after another', async () => {
    const stores = [await open(), await open()];
    let inside = 0;
    const work = async (): Promise<number> => {
      const seen = ++inside;
      await sleep(5);
      inside--;
      return seen;
    };
    const seen = await Promise.all(
      Array.from({ length: 6 }, (_, i) => stores[i % 2]?.withLock('import', work)),
    );
    expect(seen).toEqual([1, 1, 1, 1, 1, 1]);
    const failure = stores[0]?.withLock('import', () => Promise.reject(new Error('no')));
    await expect(failure).rejects.toThrow('no');
    expect(await stores[1]?.withLock('import', async () => 'next')).toBe('next');
  });
});
