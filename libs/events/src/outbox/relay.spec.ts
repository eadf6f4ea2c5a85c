import { Metrics } from '@glacis/observability';
import { systemClock, waitFor } from '@glacis/runtime';
import { openStore, type Store } from '@glacis/store';
import { backendUpdated, nameOf, topic } from '../../test/messages.js';
import { silent, sinkMigrations, sinkStore } from '../../test/sink.js';
import { BusClosedError, type BusDriver, type BusMessage } from '../bus.js';
import { eventsMetrics } from '../metrics/events-metrics.js';
import { InProcessBus } from '../in-process-bus.js';
import { Outbox } from './outbox.js';
import { Relay } from './relay.js';

let store: Store;
let url: string;
let closeStore: () => Promise<void>;
let closing: (() => Promise<unknown>)[];
let taken: string[];

beforeAll(async () => {
  const opened = await sinkStore();
  ({ store, url } = opened);
  closeStore = () => opened.close();
});
beforeEach(async () => {
  await store.query('TRUNCATE outbox');
  closing = [];
  taken = [];
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
});
afterAll(() => closeStore());

const take = async (messages: readonly BusMessage[]): Promise<void> => {
  taken.push(...messages.map(nameOf));
};

async function newBus(deliver = take): Promise<InProcessBus> {
  const backoff = { initialMs: 5, factor: 1, maxMs: 5, jitter: 0 };
  const bus = new InProcessBus({ logger: silent, backoff });
  await bus.subscribe('group', [topic], deliver);
  closing.push(() => bus.close());
  return bus;
}

function newRelay(
  bus: BusDriver,
  more: { store?: Store; pollMs?: number; batch?: number; maxInFlight?: number } = {},
): Relay {
  const relay = new Relay({
    service: 'sink',
    store,
    bus,
    logger: silent,
    metrics: eventsMetrics(new Metrics(), 'sink'),
    pollMs: 10,
    batch: 4,
    maxInFlight: 1_000,
    ...more,
  });
  closing.push(() => Promise.all([relay.stop(), bus.close()]));
  return relay;
}

async function add(names: readonly string[], wake: () => void = () => undefined): Promise<void> {
  const outbox = new Outbox({ service: 'sink', clock: systemClock, wake });
  await store.transaction((tx) =>
    outbox.add(tx, ...names.map((name) => backendUpdated('k', name))),
  );
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
const unpublished = async (): Promise<number> =>
  (await store.query('SELECT 1 FROM outbox WHERE published_at IS NULL')).length;
const published = (): Promise<true> =>
  waitFor(async () => (await unpublished()) === 0, { what: 'the marks' });

test('events leave in the order in which they were added, and are marked when they are taken', async () => {
  const relay = newRelay(await newBus());
  await add(numbers(5));
  relay.start();
  await add(['5', '6', '7', '8']);
  await published();
  expect(taken).toEqual(numbers(9));
});

test('a commit wakes the relay; a rollback neither wakes it nor leaves an event', async () => {
  const relay = newRelay(await newBus(), { pollMs: 3_600_000 });
  relay.start();
  const outbox = new Outbox({ service: 'sink', clock: systemClock, wake: () => relay.wake() });
  await expect(
    store.transaction(async (tx) => {
      await outbox.add(tx, backendUpdated('k', 'rolled back'));
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  await add(['kept'], () => relay.wake());
  await published();
  expect(taken).toEqual(['kept']);
});

test('an event that no wake announced is found by polling', async () => {
  const relay = newRelay(await newBus());
  relay.start();
  await add(['quiet']);
  await published();
  expect(taken).toEqual(['quiet']);
});

test('data against its schema, and a subject or an event out of bounds, are refused, and nothing is added', async () => {
  const outbox = new Outbox({ service: 'sink', clock: systemClock, wake: () => undefined });
  const bad = backendUpdated('k', 'x');
  const attempts = [
    { ...bad, data: { ...bad.data, name: 7 as unknown as string } },
    { ...bad, subject: '' },
    { ...bad, subject: 's'.repeat(513) },
    { ...bad, data: { ...bad.data, name: 'n'.repeat(8 << 20) } },
  ];
  for (const event of attempts) {
    await expect(
      store.transaction((tx) => outbox.add(tx, backendUpdated('k', 'good'), event)),
    ).rejects.toThrow(/name|subject|bytes/);
  }
  expect(await unpublished()).toBe(0);
});

test('text with control characters survives the way', async () => {
  const name = 'NUL \u0000, lone surrogate \ud800, line\nfeed';
  const relay = newRelay(await newBus());
  await add([name]);
  relay.start();
  await published();
  expect(taken).toEqual([name]);
});

test('an event whose transaction commits late is not passed over', async () => {
  const relay = newRelay(await newBus());
  relay.start();
  const outbox = new Outbox({ service: 'sink', clock: systemClock, wake: () => undefined });
  await store.transaction(async (tx) => {
    await outbox.add(tx, backendUpdated('late', 'late'));
    await add(['early']);
    await waitFor(() => taken.includes('early'), { what: 'the early event' });
  });
  await published();
  expect(taken).toEqual(['early', 'late']);
});

test('of two relays one publishes; when it stops, or its connection dies, the other goes on', async () => {
  const bus = await newBus();
  const second = await openStore({
    service: 'sink',
    url,
    migrations: sinkMigrations,
    logger: silent,
  });
  const first = await openStore({
    service: 'sink',
    url,
    migrations: sinkMigrations,
    logger: silent,
  });
  closing.push(
    () => first.close(),
    () => second.close(),
  );
  const one = newRelay(bus, { store: first });
  one.start();
  await add(numbers(10));
  await published();
  const other = newRelay(bus, { store: second });
  other.start();
  await add(['10', '11']);
  await published();
  expect(taken).toEqual(numbers(12));

  await store.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks
     WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  await add(['12', '13']);
  await published();
  expect([...new Set(taken)]).toEqual(numbers(14));

  await one.stop();
  await add(['14', '15']);
  await published();
  expect([...new Set(taken)]).toEqual(numbers(16));
});

test('a commit on a replica that does not relay wakes the one that does', async () => {
  const bus = await newBus();
  const second = await openStore({
    service: 'sink',
    url,
    migrations: sinkMigrations,
    logger: silent,
  });
  closing.push(() => second.close());
  const one = newRelay(bus, { pollMs: 3_600_000 });
  one.start();
  await add(['0'], () => one.wake());
  await published();
  const other = newRelay(bus, { store: second, pollMs: 3_600_000 });
  other.start();
  await add(numbers(6).slice(1), () => other.wake());
  await published();
  expect(taken).toEqual(numbers(6));
});

test('it reads on while a batch is stuck, up to the bound, and after a restart the stuck events go out again', async () => {
  let stuck = true;
  const deliver = async (messages: readonly BusMessage[]): Promise<void> => {
    if (stuck) throw new Error('the group cannot write');
    await take(messages);
  };
  const bus = await newBus(deliver);
  const other: string[] = [];
  await bus.subscribe('other', [topic], async (messages) => {
    other.push(...messages.map(nameOf));
  });
  const relay = newRelay(bus, { maxInFlight: 20 });
  await add(numbers(100));
  relay.start();
  await waitFor(() => other.length >= 20, { what: 'the other group' });
  expect(other).toEqual(numbers(20));
  expect(await unpublished()).toBe(100);
  await Promise.all([relay.stop(), bus.close()]);

  stuck = false;
  const restarted = newRelay(await newBus(deliver));
  restarted.start();
  await published();
  expect(taken).toEqual(numbers(100));
});

test('a bus that refuses is asked again', async () => {
  const inner = await newBus();
  let refusals = 2;
  const refusing: BusDriver = {
    publish: async (messages) => {
      if (refusals-- > 0) throw new BusClosedError();
      await inner.publish(messages);
    },
    subscribe: (...args) => inner.subscribe(...args),
    listen: (...args) => inner.listen(...args),
    check: () => inner.check(),
    lags: () => inner.lags(),
    close: () => inner.close(),
  };
  const relay = newRelay(refusing);
  await add(numbers(4));
  relay.start();
  await published();
  expect(taken).toEqual(numbers(4));
});
