import fc from 'fast-check';
import { backoffMs, coalesce, Loop, ManualClock, newId, TokenBuckets, waitFor } from './index.js';

describe('newId', () => {
  test('is a UUIDv7 in lower case that carries the time', () => {
    const at = new Date('2026-11-21T10:15:35.123Z');
    const id = newId(new ManualClock(at));
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(at.getTime());
  });

  test('ids are unique, and those of later milliseconds sort later', () => {
    const clock = new ManualClock();
    const ids = Array.from({ length: 2000 }, () => {
      clock.advance(1);
      return newId(clock);
    });
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });
});

describe('TokenBuckets', () => {
  test('gives a burst, then says how long to wait', () => {
    const clock = new ManualClock();
    const buckets = new TokenBuckets({ capacity: 2, refillPerSecond: 4 }, clock);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([0, 0, 250]);
    expect(buckets.take('b')).toBe(0);
    clock.advance(250);
    expect(buckets.take('a')).toBe(0);
    expect(buckets.take('a')).toBe(250);
  });

  test('never gives more than capacity plus refill, and waiting as told suffices', () => {
    const steps = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.constantFrom<'a' | 'b'>('a', 'b')),
    );
    const options = fc.record({
      capacity: fc.integer({ min: 1, max: 5 }),
      refillPerSecond: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(options, steps, (limit, script) => {
        const clock = new ManualClock();
        const buckets = new TokenBuckets(limit, clock);
        const taken = { a: 0, b: 0 };
        let elapsed = 0;
        for (const [ms, key] of script) {
          clock.advance(ms);
          elapsed += ms;
          const wait = buckets.take(key);
          if (wait === 0) taken[key] += 1;
          expect(wait).toBeLessThanOrEqual(Math.ceil(1000 / limit.refillPerSecond));
        }
        const most = limit.capacity + (elapsed / 1000) * limit.refillPerSecond + 1e-6;
        expect(Math.max(taken.a, taken.b)).toBeLessThanOrEqual(most);
      }),
    );
  });

  test('a clock set back takes no tokens away', () => {
    const clock = new ManualClock();
    const buckets = new TokenBuckets({ capacity: 2, refillPerSecond: 1 }, clock);
    buckets.take('a');
    clock.advance(-60_000);
    expect(buckets.take('a')).toBe(0);
  });

  test('forgets the least recently used key above its bound', () => {
    const buckets = new TokenBuckets(
      { capacity: 1, refillPerSecond: 0.001, maxKeys: 2 },
      new ManualClock(),
    );
    buckets.take('a');
    buckets.take('b');
    expect(buckets.take('a')).toBeGreaterThan(0);
    buckets.take('c');
    expect(buckets.take('a')).toBeGreaterThan(0);
    expect(buckets.take('b')).toBe(0);
  });

  test('refuses a limit that is none', () => {
    expect(() => new TokenBuckets({ capacity: 0, refillPerSecond: 1 })).toThrow(RangeError);
    expect(() => new TokenBuckets({ capacity: 1, refillPerSecond: Number.NaN })).toThrow(
      RangeError,
    );
  });
});

test('backoff grows by its factor up to its bound; jitter only shortens', () => {
  const options = { initialMs: 100, factor: 2, maxMs: 1000, jitter: 0.5 };
  const none = (): number => 0;
  expect([1, 2, 3, 4, 5, 500].map((n) => backoffMs(options, n, none))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), (attempt) => {
      const full = backoffMs(options, attempt, none);
      const some = backoffMs(options, attempt);
      expect(some).toBeGreaterThanOrEqual(full / 2);
      expect(some).toBeLessThanOrEqual(full);
    }),
  );
});

describe('coalesce', () => {
  /** Resolves when told, so that a test decides when a run ends. */
  function gates(): { wait: () => Promise<void>; open: () => void } {
    const waiting: (() => void)[] = [];
    return {
      wait: () => new Promise((resolve) => void waiting.push(resolve)),
      open: () => waiting.splice(0).forEach((resolve) => resolve()),
    };
  }

  test('calls of one turn share a run; calls during a run share the next one', async () => {
    const gate = gates();
    const runs: number[][] = [];
    const double = coalesce<number, number>(async (items) => {
      runs.push(items);
      await gate.wait();
      return items.map((item) => item * 2);
    });
    const first = [1, 2].map(double);
    await waitFor(() => runs.length === 1);
    const rest = [3, 4, 5].map(double);
    gate.open();
    expect(await Promise.all(first)).toEqual([2, 4]);
    await waitFor(() => runs.length === 2);
    gate.open();
    expect(await Promise.all(rest)).toEqual([6, 8, 10]);
    expect(runs).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  test('an Error as result rejects its call alone; a throw or a wrong count rejects the run', async () => {
    const one = coalesce<number, number>(async (items) =>
      items.map((item) => (item === 2 ? new Error('two') : item)),
    );
    const settled = await Promise.allSettled([1, 2, 3].map(one));
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const none = coalesce<number, number>(() => Promise.reject(new Error('all')));
    await expect(none(1)).rejects.toThrow('all');
    await expect(none(2)).rejects.toThrow('all');
    await expect(coalesce<number, number>(async () => [])(1)).rejects.toThrow('1 items gave 0');
  });

  test('each call gets the result of its own item within the bounds of batch and concurrency', async () => {
    const bounds = fc.record({
      maxBatch: fc.integer({ min: 1, max: 7 }),
      concurrency: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(bounds, fc.array(fc.integer()), async (options, items) => {
        let running = 0;
        const call = coalesce<number, string>(async (batch) => {
          running += 1;
          expect(running).toBeLessThanOrEqual(options.concurrency);
          expect(batch.length).toBeLessThanOrEqual(options.maxBatch);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          return batch.map(String);
        }, options);
        expect(await Promise.all(items.map(call))).toEqual(items.map(String));
      }),
    );
  });
});

describe('Loop', () => {
  test('runs on start, again when woken, and not twice at once', async () => {
    let release: () => void = () => undefined;
    let runs = 0;
    let running = 0;
    const loop = new Loop({
      name: 'test',
      intervalMs: 3_600_000,
      run: async () => {
        running += 1;
        expect(running).toBe(1);
        runs += 1;
        await new Promise<void>((resolve) => (release = resolve));
        running -= 1;
      },
      onError: fail,
    });
    loop.wake();
    expect(runs).toBe(0);
    loop.start();
    loop.start();
    expect(runs).toBe(1);
    loop.wake();
    loop.wake();
    release();
    await waitFor(() => runs === 2, { what: 'one run for both wakes' });
    const stopped = loop.stop();
    release();
    await stopped;
    expect(running).toBe(0);
    loop.wake();
    expect(runs).toBe(2);
  });

  test('goes on after an error, by its interval', async () => {
    const errors: unknown[] = [];
    let runs = 0;
    const loop = new Loop({
      name: 'test',
      intervalMs: 1,
      run: async () => {
        runs += 1;
        if (runs < 3) throw new Error(`run ${runs}`);
      },
      onError: (error) => errors.push(error),
    });
    loop.start();
    await waitFor(() => runs >= 4, { what: 'four runs' });
    await loop.stop();
    expect(errors).toEqual([new Error('run 1'), new Error('run 2')]);
  });

  function fail(error: unknown): never {
    throw error;
  }
});

describe('waitFor', () => {
  test('gives the first value that is there', async () => {
    let tries = 0;
    expect(await waitFor(() => ++tries === 3 && 'three', { everyMs: 1 })).toBe('three');
    expect(await waitFor(async () => 0)).toBe(0);
  });

  test('names what it waited for, and the last error as cause', async () => {
    const failing = waitFor(
      () => {
        throw new Error('not yet');
      },
      { deadlineMs: 5, everyMs: 1, what: 'the moon' },
    );
    await expect(failing).rejects.toMatchObject({
      message: 'waited 5 ms for the moon',
      cause: new Error('not yet'),
    });
  });
});
