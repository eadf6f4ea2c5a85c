import { setImmediate as tick } from 'node:timers/promises';
import { waitFor } from '@glacis/runtime';
import fc from 'fast-check';
import { WorkQueue } from './work-queue.js';

describe('work queue', () => {
  it('works on a key once at a time, on no more keys than workers, and after every add', async () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      delayMs: fc.constantFrom(0, 0, 0, 1, 3),
      fails: fc.boolean(),
      turns: fc.nat({ max: 3 }),
    });
    const run = async (
      steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
      workers: number,
    ) => {
      const underWay = new Set<string>();
      const added = new Map<string, number>();
      const seen = new Map<string, number>();
      const toFail = new Set<string>();
      let most = 0;
      let order = 0;
      const queue = new WorkQueue({
        workers,
        backoff: { initialMs: 1, factor: 1, maxMs: 1, jitter: 0 },
        work: async (key) => {
          expect(underWay).not.toContain(key);
          underWay.add(key);
          most = Math.max(most, underWay.size);
          seen.set(key, ++order);
          await tick();
          underWay.delete(key);
          if (toFail.delete(key)) throw new Error('as planned');
          return undefined;
        },
      });
      for (const { key, delayMs, fails, turns } of steps) {
        added.set(key, ++order);
        if (fails) toFail.add(key);
        queue.add(key, delayMs);
        for (let i = 0; i < turns; i++) await tick();
      }
      await waitFor(
        () => [...added].every(([key, when]) => (seen.get(key) ?? 0) > when) && toFail.size === 0,
        { everyMs: 1, what: 'every key to be worked on after it was added' },
      );
      expect(most).toBeLessThanOrEqual(workers);
      await queue.stop();
    };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.integer({ min: 1, max: 3 }), run),
      { numRuns: 100 },
    );
  });

  const failing = (error: unknown, limit: number) => {
    const delays: number[] = [];
    const queue: WorkQueue = new WorkQueue({
      workers: 1,
      random: () => 0.5,
      backoff: { initialMs: 2, factor: 2, maxMs: 10, jitter: 0.5 },
      work: async () => {
        throw error;
      },
      onFailure: (_key, _error, failures, delayMs) => {
        delays.push(delayMs);
        if (failures === limit) void queue.stop();
      },
    });
    queue.add('a');
    return delays;
  };

  it('waits longer after each failure, up to a bound', async () => {
    const delays = failing(new Error('no'), 5);
    await waitFor(() => delays.length === 5);
    expect(delays).toEqual([2, 3, 6, 8, 8]);
  });

  it('waits at least as long as a server asked for', async () => {
    const delays = failing(Object.assign(new Error('429'), { retryAfterMs: 20 }), 2);
    await waitFor(() => delays.length === 2);
    expect(delays).toEqual([20, 20]);
  });

  it('begins nothing after stop, and waits for what is under way', async () => {
    let release: () => void = () => undefined;
    const worked: string[] = [];
    const queue = new WorkQueue({
      workers: 1,
      work: async (key) => {
        worked.push(key);
        await new Promise<void>((resolve) => (release = resolve));
        return 1;
      },
    });
    queue.add('a');
    queue.add('b');
    queue.add('c', 5);
    await tick();
    expect(queue.depth).toBe(1);
    let ended = false;
    const stopping = queue.stop().then(() => (ended = true));
    await tick();
    expect(ended).toBe(false);
    release();
    await stopping;
    queue.add('d');
    await tick();
    expect(worked).toEqual(['a']);
    expect(queue.depth).toBe(0);
  });

  it('tells how long each key has waited for its turn, first come, first served', async () => {
    const waits: [string, number][] = [];
    let clock = 0;
    const queue = new WorkQueue({
      workers: 1,
      work: async () => {
        clock = performance.now();
        await tick();
        return undefined;
      },
      onBegin: (key, waitedMs) => waits.push([key, waitedMs]),
    });
    const begun = performance.now();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await waitFor(() => waits.length === 3);
    expect(waits.map(([key]) => key)).toEqual(['a', 'b', 'c']);
    const times = waits.map(([, waitedMs]) => waitedMs);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect(times.at(-1)).toBeLessThanOrEqual(clock - begun + 1);
    await queue.stop();
  });

  it('takes the shortest of several delays, and none when the key is added at once', async () => {
    const worked: string[] = [];
    const queue = new WorkQueue({
      workers: 2,
      work: async (key) => {
        worked.push(key);
        return undefined;
      },
    });
    queue.add('a', 60_000);
    queue.add('a', 1);
    queue.add('a', 30_000);
    await waitFor(() => worked.length === 1);
    queue.add('b', 60_000);
    queue.add('b');
    await waitFor(() => worked.length === 2);
    expect(worked).toEqual(['a', 'b']);
    await queue.stop();
  });
});
