import { ManualClock, waitFor } from '@glacis/runtime';
import type { Store } from '@glacis/store';
import fc from 'fast-check';
import { message } from '../../test/messages.js';
import { fastRetries, newSink, sinkStore, type Sink } from '../../test/sink.js';
import type { BusMessage } from '../bus.js';

let store: Store;
let close: () => Promise<void>;
let sink: Sink;

const batch = (key: string, names: string): BusMessage[] =>
  names.split(' ').map((name) => message(key, name));
const inboxSize = async (): Promise<number> =>
  Number((await store.query<{ count: string }>('SELECT count(*) FROM inbox'))[0]?.count);

beforeAll(async () => {
  const opened = await sinkStore();
  store = opened.store;
  close = () => opened.close();
});
beforeEach(async () => {
  await store.query('TRUNCATE inbox, event_failures, effects, allowed');
  sink = newSink(store);
});
afterEach(() => sink.retries.stop());
afterAll(() => close());

describe('taking a batch', () => {
  test('handles every event in order, in one transaction with its inbox rows', async () => {
    const transactions = new Set<string>();
    sink.misbehave = async (_, tx) => {
      const [row] = await tx.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
      transactions.add(row?.id ?? '');
    };
    await sink.consumer.take(batch('k', 'a b c d'));
    expect(await sink.names()).toEqual(['a', 'b', 'c', 'd']);
    expect(transactions.size).toBe(1);
    expect(await inboxSize()).toBe(4);
  });

  test('has no effect for what was taken before, in another batch or in the same', async () => {
    const [a, b, c] = batch('k', 'a b c') as [BusMessage, BusMessage, BusMessage];
    await sink.consumer.take([a, b]);
    await sink.consumer.take([a, b, c, c, b]);
    expect(await sink.names()).toEqual(['a', 'b', 'c']);
  });

  test('has one effect when two replicas take the same events at once', async () => {
    const other = newSink(store);
    const messages = batch('k', 'a b c d e f');
    await Promise.all([sink.consumer.take(messages), other.consumer.take(messages)]);
    expect(await sink.names()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  test('passes over known types without handler, and leaves no trace of them', async () => {
    await sink.consumer.take([{ ...message('k', 'a'), type: 'backend.created' }]);
    expect(await inboxSize()).toBe(0);
  });
});

describe('a failing event', () => {
  beforeEach(() => {
    sink.misbehave = (name) => {
      if (name.startsWith('bad')) throw new Error(`cannot handle ${name}`);
    };
  });

  test('is parked with its cause, later events of its key behind it, and other keys go on', async () => {
    await sink.consumer.take([
      ...batch('other', 'a'),
      ...batch('k', 'good bad next'),
      ...batch('other', 'b c'),
    ]);
    await sink.consumer.take([...batch('k', 'later'), ...batch('other', 'd')]);
    expect(await sink.names()).toEqual(['a', 'good', 'b', 'c', 'd']);
    expect(await sink.failures()).toEqual([
      { name: 'bad', state: 'parked', attempts: 1, cause: 'Error: cannot handle bad' },
      { name: 'next', state: 'parked', attempts: 0, cause: null },
      { name: 'later', state: 'parked', attempts: 0, cause: null },
    ]);
    expect(sink.calls).not.toContain('later');
  });

  test('is parked once, however often it is delivered', async () => {
    const messages = batch('k', 'bad next');
    for (let i = 0; i < 3; i++) await sink.consumer.take(messages);
    expect((await sink.failures()).map(({ name }) => name)).toEqual(['bad', 'next']);
  });

  test('is found among others when only COMMIT fails', async () => {
    sink.misbehave = async (name, tx) => {
      if (name !== 'bad') return;
      await tx.query(
        `INSERT INTO effects (key, name, attempt, late_check) VALUES ('k', 'x', 1, 'x')`,
      );
    };
    await sink.consumer.take([...batch('j', 'a b c'), ...batch('k', 'bad'), ...batch('l', 'd e')]);
    expect(await sink.names()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await sink.failures()).toMatchObject([{ name: 'bad', state: 'parked', attempts: 1 }]);
  });

  test('is found among others when its handler swallows a database error', async () => {
    sink.misbehave = async (name, tx) => {
      if (name === 'bad') await tx.query('SELECT 1 / 0').catch(() => undefined);
    };
    await sink.consumer.take([...batch('j', 'a'), ...batch('k', 'bad'), ...batch('l', 'b c')]);
    expect(await sink.names()).toEqual(['a', 'b', 'c']);
    expect(await sink.failures()).toMatchObject([{ name: 'bad', state: 'parked', attempts: 1 }]);
  });

  test('that swallows a database error is found when nothing but our own statements follow', async () => {
    sink.misbehave = async (name, tx) => {
      if (name === 'bad-1') throw new Error('first');
      if (name === 'bad-2') await tx.query('SELECT 1 / 0').catch(() => undefined);
    };
    await sink.consumer.take(batch('k', 'bad-1'));
    await sink.consumer.take([...batch('j', 'bad-2'), ...batch('k', 'behind')]);
    expect(await sink.failures()).toMatchObject([
      { name: 'bad-1', attempts: 1 },
      { name: 'bad-2', attempts: 1 },
      { name: 'behind', attempts: 0 },
    ]);
  });

  test('among many does not make others be handled over and over', async () => {
    const messages = Array.from({ length: 60 }, (_, i) =>
      message(`key-${i}`, i % 2 ? `bad-${i}` : `good-${i}`),
    );
    await sink.consumer.take(messages);
    expect(await sink.names()).toHaveLength(30);
    expect(await sink.failures()).toHaveLength(30);
    expect(sink.calls.length).toBeLessThanOrEqual(3 * messages.length);
  });

  test('leaves nothing when the database cannot even park it: all come again', async () => {
    await store.query('ALTER TABLE event_failures RENAME TO away');
    const messages = [...batch('j', 'a'), ...batch('k', 'bad')];
    await expect(sink.consumer.take(messages)).rejects.toThrow('event_failures');
    await store.query('ALTER TABLE away RENAME TO event_failures');
    await sink.consumer.take(messages);
    expect(await sink.names()).toEqual(['a']);
    expect(await sink.failures()).toMatchObject([{ name: 'bad' }]);
  });
});

describe('an unreadable message', () => {
  const good = message('k', 'good');
  const cases: [string, Partial<BusMessage>, RegExp][] = [
    ['no JSON', { value: '{' }, /JSON/],
    ['a NUL character and no JSON', { value: 'a\u0000b' }, /JSON/],
    ['an envelope of another id', { id: 'another' }, /differ/],
    ['data against the schema', { value: good.value.replace('"good"', '7') }, /name/],
    [
      'an id and a key beyond every index',
      { id: 'i'.repeat(9000), key: 'k'.repeat(9000) },
      /differ/,
    ],
  ];
  test.each(cases)(
    'with %s is a dead letter at once, and others go on',
    async (_, fault, cause) => {
      const after = message('k', 'after');
      await sink.consumer.take([{ ...good, ...fault }, after]);
      expect(await sink.failures()).toMatchObject([
        { state: 'dead', attempts: 1, cause: expect.stringMatching(cause) as string },
      ]);
      expect(await sink.names()).toEqual(['after']);
      expect(sink.calls).toEqual(['after']);
    },
  );
});

test('a type that this build does not know, as a newer service may send it, is passed over', async () => {
  await sink.consumer.take([{ ...message('k', 'newer'), type: 'backend.exploded' }]);
  expect(await sink.failures()).toEqual([]);
  expect(sink.calls).toEqual([]);
});

test('a batch that takes too long ends early: the rest is parked and handled in the background, in order', async () => {
  const clock = new ManualClock();
  sink = newSink(store, { clock });
  sink.misbehave = () => clock.advance(400);
  await sink.consumer.take(batch('k', 'a b c d e f'));
  expect(await sink.names()).toEqual(['a', 'b', 'c']);
  expect(await sink.failures()).toMatchObject([
    { name: 'd', state: 'parked', attempts: 0, cause: null },
    { name: 'e', state: 'parked', attempts: 0, cause: null },
    { name: 'f', state: 'parked', attempts: 0, cause: null },
  ]);
  sink.retries.start();
  await sink.settled();
  expect(await sink.names()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

test('while the database is away nothing is anybody’s fault', async () => {
  await store.query('ALTER TABLE inbox RENAME TO away');
  const messages = batch('k', 'a b c d');
  await expect(sink.consumer.take(messages)).rejects.toThrow('inbox');
  expect(sink.calls).toEqual([]);
  await store.query('ALTER TABLE away RENAME TO inbox');
  await sink.consumer.take(messages);
  expect(await sink.names()).toEqual(['a', 'b', 'c', 'd']);
});

describe('retries', () => {
  test('go on in the order of the key until the event is handled', async () => {
    sink.misbehave = (name, _, attempt) => {
      if (name === 'bad' && attempt < 3) throw new Error('not yet');
    };
    await sink.consumer.take(batch('k', 'bad b c'));
    await sink.consumer.take(batch('k', 'd'));
    sink.retries.start();
    await sink.settled();
    expect(await sink.effects()).toEqual([
      { key: 'k', name: 'bad', attempt: 3 },
      { key: 'k', name: 'b', attempt: 1 },
      { key: 'k', name: 'c', attempt: 1 },
      { key: 'k', name: 'd', attempt: 1 },
    ]);
  });

  test('of a long line go through it at once when its first event is handled at last', async () => {
    sink.misbehave = (name, _, attempt) => {
      if (name === '0' && attempt < 2) throw new Error('not yet');
    };
    const numbers = Array.from({ length: 300 }, (_, i) => String(i));
    await sink.consumer.take(batch('k', numbers.join(' ')));
    sink.retries.start();
    await sink.settled();
    expect(await sink.names()).toEqual(numbers);
  });

  test('end in a dead letter after the last attempt, and the key goes on', async () => {
    sink.misbehave = (name) => {
      if (name === 'bad') throw new Error('never, postgres://user:secret@host/db');
    };
    await sink.consumer.take(batch('k', 'bad next'));
    sink.retries.start();
    await sink.settled();
    expect(await sink.names()).toEqual(['next']);
    expect(await sink.failures()).toEqual([
      {
        name: 'bad',
        state: 'dead',
        attempts: 3,
        cause: 'Error: never, postgres://[redacted]@host/db',
      },
    ]);
  });

  test('wait for their time, longer after each failure', async () => {
    const clock = new ManualClock();
    const policy = { initialMs: 1_000, factor: 10, maxMs: 60_000, jitter: 0, attempts: 9 };
    sink = newSink(store, { clock, policy });
    sink.misbehave = () => {
      throw new Error('down');
    };
    const delays: number[] = [];
    await sink.consumer.take(batch('k', 'a'));
    sink.retries.start();
    for (let attempts = 1; attempts <= 4; attempts++) {
      const [row] = await store.query<{ next: Date }>(
        'SELECT next_attempt_at AS next FROM event_failures WHERE attempts = $1',
        [attempts],
      );
      delays.push((row?.next.getTime() ?? 0) - clock.now().getTime());
      clock.advance(delays.at(-1) as number);
      sink.retries.wake();
      await waitFor(async () => (await sink.failures())[0]?.attempts === attempts + 1);
    }
    expect(delays).toEqual([1_000, 10_000, 60_000, 60_000]);
  });

  test('of two replicas handle an event once', async () => {
    sink.misbehave = (_, __, attempt) => {
      if (attempt === 1) throw new Error('first');
    };
    const other = newSink(store);
    await sink.consumer.take(['a', 'b', 'c', 'd', 'e'].map((key) => message(key, key)));
    sink.retries.start();
    other.retries.start();
    await sink.settled();
    await other.retries.stop();
    expect((await sink.names()).toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

test('any interleaving of failures, redeliveries and replicas keeps the order per key and each effect once', async () => {
  interface Step {
    take: number;
    again: number;
    replica: number;
  }
  const failures = fc.dictionary(
    fc.integer({ min: 0, max: 23 }).map(String),
    fc.record({ times: fc.integer({ min: 1, max: 3 }), late: fc.boolean() }),
    { maxKeys: 8 },
  );
  const steps = fc.array(
    fc.record({
      take: fc.integer({ min: 1, max: 8 }),
      again: fc.integer({ min: 0, max: 6 }),
      replica: fc.integer({ min: 0, max: 1 }),
    }),
    { minLength: 3, maxLength: 12 },
  );
  const run = async (planned: Record<string, { times: number; late: boolean }>, plan: Step[]) => {
    await store.query('TRUNCATE inbox, event_failures, effects');
    const left = new Map(Object.entries(planned).map(([name, { times }]) => [name, times]));
    const replicas = [0, 1].map(() => newSink(store, { policy: { ...fastRetries, attempts: 50 } }));
    for (const replica of replicas) {
      replica.misbehave = async (name, tx) => {
        const times = left.get(name) ?? 0;
        if (times === 0) return;
        left.set(name, times - 1);
        if (!planned[name]?.late) throw new Error('planned');
        await tx.query(
          `INSERT INTO effects (key, name, attempt, late_check) VALUES ('', '', 0, 'x')`,
        );
      };
      replica.retries.start();
    }
    const all = Array.from({ length: 24 }, (_, i) => message(`key-${i % 3}`, String(i)));
    let sent = 0;
    for (const { take, again, replica } of [...plan, { take: 24, again: 0, replica: 0 }]) {
      await replicas[replica]?.consumer.take(all.slice(Math.max(0, sent - again), sent + take));
      sent = Math.min(all.length, sent + take);
    }
    await sink.settled();
    await Promise.all(replicas.map(({ retries }) => retries.stop()));
    const effects = await sink.effects();
    for (const key of ['key-0', 'key-1', 'key-2']) {
      const names = effects.filter((effect) => effect.key === key).map(({ name }) => Number(name));
      expect(names).toEqual(Array.from({ length: 8 }, (_, i) => 3 * i + Number(key.slice(4))));
    }
  };
  await fc.assert(fc.asyncProperty(failures, steps, run), { numRuns: 25 });
}, 60_000);
