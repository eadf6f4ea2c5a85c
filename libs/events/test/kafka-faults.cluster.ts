import { waitFor } from '@glacis/runtime';
import { startKafka, type KafkaCluster } from '@glacis/testbed/cluster';
import type { KafkaBus } from '../src/kafka/kafka-bus.js';
import { newKafkaBus, ownKafka } from './kafka.js';
import { message } from './messages.js';
import { acknowledged, expectAll, Taken, Writer } from './numbered-load.js';

const patient = { deadlineMs: 120_000 };

let kafka: KafkaCluster;
let buses: KafkaBus[];

/**
 * Clients of one set of topics and groups, as the replicas of a service have them.
 * @param brokers how each of them reaches the brokers
 */
function replicas(
  brokers: readonly string[][],
  overrides: Record<string, string> = {},
): KafkaBus[] {
  const settings = ownKafka(kafka.brokers, overrides);
  buses = brokers.map((own) => newKafkaBus({ ...settings, brokers: own }));
  return buses;
}
afterEach(() => Promise.all(buses.map((bus) => bus.close())));

const startWriters = (bus: KafkaBus, count: number): Writer[] =>
  Array.from({ length: count }, (_, i) => new Writer(bus, `key-${i}`));

async function more(writers: readonly Writer[], count: number): Promise<void> {
  const before = acknowledged(writers);
  const enough = (): boolean => acknowledged(writers) >= before + count;
  await waitFor(enough, { what: `${count} more acknowledged`, ...patient });
}

/** Ends the writers and waits until the group has all that they were promised. */
async function settle(writers: readonly Writer[], taken: Taken): Promise<void> {
  await Promise.all(writers.map((writer) => writer.stop()));
  const all = (): boolean => taken.count >= acknowledged(writers);
  await waitFor(all, { what: 'everything acknowledged', ...patient });
  expectAll(taken, writers);
}

describe('three brokers', () => {
  beforeAll(async () => {
    kafka = await startKafka({ brokers: 3 });
  });
  afterAll(() => kafka.stop());

  test('leaders killed during publishing: nothing acknowledged is lost and every key keeps its order', async () => {
    const [bus] = replicas([kafka.brokers], { partitions: '12' }) as [KafkaBus];
    const taken = new Taken();
    await bus.subscribe('group', ['backend'], taken.deliver);
    const writers = startWriters(bus, 24);
    for (const broker of [0, 1, 2].map((index) => kafka.broker(index))) {
      await more(writers, 1_000);
      await broker.kill();
      await more(writers, 1_000);
      await broker.start();
    }
    await settle(writers, taken);
  }, 300_000);
});

describe('one broker', () => {
  beforeAll(async () => {
    kafka = await startKafka({ proxied: true });
  });
  afterAll(() => kafka.stop());

  test('gone and back: what was published meanwhile arrives, and readiness tells of it', async () => {
    const [bus] = replicas([kafka.brokers]) as [KafkaBus];
    const taken = new Taken();
    await bus.subscribe('group', ['backend'], taken.deliver);
    const heard: string[] = [];
    await bus.listen(['backend'], ({ key }) => void heard.push(key));
    const writers = startWriters(bus, 4);
    await more(writers, 100);
    await expect(bus.check()).resolves.toBeUndefined();
    await kafka.broker(0).stop();
    await expect(bus.check()).rejects.toThrow();
    const meanwhile = bus.publish([message('meanwhile', '0')]);
    await kafka.broker(0).start();
    await meanwhile;
    await more(writers, 100);
    await settle(writers, taken);
    await waitFor(() => taken.of('meanwhile').length === 1 && heard.includes('meanwhile'), patient);
    await waitFor(() => bus.check().then(() => true), { what: 'readiness', ...patient });
  }, 300_000);

  test('frozen and thawed: what hangs is given up, nothing is lost', async () => {
    const [bus] = replicas([kafka.brokers]) as [KafkaBus];
    const taken = new Taken();
    await bus.subscribe('group', ['backend'], taken.deliver);
    const writers = startWriters(bus, 4);
    await more(writers, 100);
    kafka.broker(0).pause();
    await expect(bus.check()).rejects.toMatchObject({ code: 'deadline_exceeded' });
    kafka.broker(0).resume();
    await more(writers, 100);
    await settle(writers, taken);
  }, 300_000);

  test('replicas come and go: their partitions change hands, nothing is lost and every key keeps its order', async () => {
    const ways = Array.from({ length: 3 }, () => kafka.brokers);
    const [one, two, three] = replicas(ways, { partitions: '12' }) as [
      KafkaBus,
      KafkaBus,
      KafkaBus,
    ];
    const taken = new Taken();
    await one.subscribe('group', ['backend'], taken.deliver);
    const writers = startWriters(three, 24);
    await more(writers, 500);
    await two.subscribe('group', ['backend'], taken.deliver);
    await more(writers, 500);
    await three.subscribe('group', ['backend'], taken.deliver);
    await more(writers, 500);
    await one.close();
    await more(writers, 500);
    await two.close();
    await settle(writers, taken);
  }, 300_000);

  test('a replica cut off the network: another takes its partitions, and what it published arrives later', async () => {
    const ways = [kafka.brokers, kafka.proxied?.brokers ?? []];
    const [whole, cut] = replicas(ways, { partitions: '12' }) as [KafkaBus, KafkaBus];
    const taken = new Taken();
    await cut.subscribe('group', ['backend'], taken.deliver);
    await whole.subscribe('group', ['backend'], taken.deliver);
    const writers = startWriters(whole, 24);
    await more(writers, 500);
    kafka.proxied?.cut();
    const late = cut.publish([message('late', '0')]);
    await expect(cut.check()).rejects.toThrow();
    const before = writers.map(({ key }) => taken.of(key).length);
    const allGrow = (): boolean =>
      writers.every(({ key }, i) => taken.of(key).length > (before[i] ?? 0) + 50);
    await waitFor(allGrow, { what: 'every key at the other replica', ...patient });
    kafka.proxied?.heal();
    await late;
    await settle(writers, taken);
    await waitFor(() => taken.of('late').length === 1, { what: 'the late message', ...patient });
  }, 300_000);
});
