import { createLogger, Metrics } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import fc from 'fast-check';
import { SimulatedHistory, type EventFault } from '../../test/simulated-history.js';
import type { Widget } from '../../test/widgets.js';
import { Informer } from './informer.js';
import type { Change } from './store.js';
import { compareVersions } from './versions.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const backoff = { initialMs: 1, factor: 1, maxMs: 1, jitter: 1 };

const operations = fc.array(
  fc.record({ name: fc.constantFrom('a', 'b', 'c'), deletes: fc.boolean() }),
  { maxLength: 30 },
);
const faults = (...kinds: EventFault[]) =>
  fc.array(fc.constantFrom<EventFault>('pass', 'pass', ...kinds), { maxLength: 30 });

/** What a subscriber knows who believes all that it is told. */
class Believer {
  readonly known = new Map<string, Widget>();
  private readonly buried = new Set<string>();

  readonly take = ({ key, old, new: now }: Change<Widget>): void => {
    expect(this.known.get(key)).toBe(old);
    if (now) {
      expect(this.buried).not.toContain(now.metadata.uid);
      if (old) {
        expect(now.metadata.uid).toBe(old.metadata.uid);
        expect(Number(now.metadata.resourceVersion)).toBeGreaterThan(
          Number(old.metadata.resourceVersion),
        );
      }
      this.known.set(key, now);
    } else {
      this.buried.add(old!.metadata.uid);
      this.known.delete(key);
    }
  };
}

async function follows(history: SimulatedHistory, relistMs: number): Promise<void> {
  const informer = new Informer<Widget>({
    name: 'widgets',
    source: history,
    backoff,
    relistMs,
    logger,
    metrics: new Metrics(),
  });
  const believer = new Believer();
  let disbelief: unknown;
  informer.subscribe((change) => {
    try {
      believer.take(change);
    } catch (error) {
      disbelief ??= error;
    }
  });
  const versions = (objects: Iterable<Widget>) =>
    [...objects].map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`).toSorted();
  informer.start();
  try {
    await waitFor(
      () =>
        disbelief !== undefined ||
        (history.isOver &&
          versions(informer.store.values()).join() === versions(history.objects.values()).join()),
      { everyMs: 1, what: 'the copy to be what the server has' },
    );
    if (disbelief) throw disbelief;
    expect(versions(believer.known.values())).toEqual(versions(history.objects.values()));
  } finally {
    await informer.stop();
  }
}

describe('informer', () => {
  it('loses and resurrects nothing whatever happens to connections, without listing by the clock', async () => {
    await fc.assert(
      fc.asyncProperty(
        operations,
        faults('twice', 'late', 'break', 'gone', 'replay'),
        (ops, plan) => follows(new SimulatedHistory([...ops], [...plan]), Infinity),
      ),
      { numRuns: 200 },
    );
  });

  it('is right again after the next list when events were lost or came in another order', async () => {
    await fc.assert(
      fc.asyncProperty(
        operations,
        faults('drop', 'swap', 'twice', 'late', 'break', 'gone', 'replay'),
        (ops, plan) => follows(new SimulatedHistory([...ops], [...plan]), 2),
      ),
      { numRuns: 200 },
    );
  });
});

describe('compareVersions', () => {
  it('orders numbers of any length, and takes for newer what is no number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n }), fc.bigInt({ min: 1n }), (one, other) => {
        const expected = one === other ? 0 : one < other ? -1 : 1;
        expect(Math.sign(compareVersions(String(one), String(other)))).toBe(expected);
      }),
    );
    expect(compareVersions('abc', '5')).toBe(1);
    expect(compareVersions('5', '')).toBe(1);
  });
});
