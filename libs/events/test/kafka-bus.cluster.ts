import { sharedKafka, startKafka, type KafkaCluster } from '@glacis/testbed/cluster';
import { waitFor } from '@glacis/runtime';
import type { KafkaBus } from '../src/kafka/kafka-bus.js';
import { KafkaClients } from '../src/kafka/kafka-client.js';
import type { KafkaSettings } from '../src/kafka/kafka-settings.js';
import { busContract } from './bus-contract.js';
import { newKafkaBus, ownKafka } from './kafka.js';
import { message, nameOf } from './messages.js';
import { silent } from './sink.js';

let three: KafkaCluster;
beforeAll(async () => {
  three = await startKafka({ brokers: 3 });
});
afterAll(() => three.stop());

const clusters: [string, () => string[]][] = [
  ['one broker', sharedKafka],
  ['three brokers', () => three.brokers],
];
for (const [name, brokers] of clusters) {
  busContract(`the Kafka bus on ${name}`, async () => {
    const settings = ownKafka(brokers());
    return {
      topics: ['backend', 'certificate'],
      connect: async () => newKafkaBus(settings),
      stop: async () => undefined,
    };
  });
}

describe('the Kafka bus', () => {
  let settings: KafkaSettings;
  let bus: KafkaBus;
  beforeEach(() => {
    settings = ownKafka(three.brokers, { partitions: '5', retention: '2h' });
    bus = newKafkaBus(settings);
  });
  afterEach(() => bus.close());

  /** What the group takes, until there are so many. */
  /** The names of so many messages, each where it came first: a slow broker may get one twice. */
  async function taking(count: number): Promise<() => Promise<string[]>> {
    const taken = new Set<string>();
    await bus.subscribe('group', ['backend'], async (messages) => {
      for (const each of messages) taken.add(nameOf(each));
    });
    return async () => {
      await waitFor(() => taken.size >= count, { what: `${count} messages` });
      return [...taken];
    };
  }

  test('makes topics as configured, also when two replicas need one at the same moment', async () => {
    const other = newKafkaBus(settings);
    await Promise.all([bus.publish([message('a', '1')]), other.publish([message('a', '2')])]);
    await other.close();
    const admin = new KafkaClients(settings, silent).admin();
    await admin.connect();
    try {
      const name = `${settings.prefix}backend`;
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
      expect(topics[0]?.partitions.map(({ replicas }) => replicas.length)).toEqual([3, 3, 3, 3, 3]);
      const names = ['min.insync.replicas', 'retention.ms'];
      const resources = [{ type: 2, name, configNames: names }];
      const configs = await admin.describeConfigs({ resources, includeSynonyms: false });
      const values = configs.resources[0]?.configEntries.map((each) => [
        each.configName,
        each.configValue,
      ]);
      expect(Object.fromEntries(values ?? [])).toEqual({
        'min.insync.replicas': '2',
        'retention.ms': '7200000',
      });
    } finally {
      await admin.disconnect();
    }
  });

  test('passes over records that are no events, and takes those that others wrote', async () => {
    const taken = await taking(2);
    await bus.publish([message('a', 'before')]);
    const producer = new KafkaClients(settings, silent).producer();
    await producer.connect();
    const foreign = message('a', 'foreign');
    await producer.send({
      topic: `${settings.prefix}backend`,
      messages: [{ value: 'no JSON' }, { value: null }, { key: 'a', value: foreign.value }].map(
        (each) => ({ ...each, partition: 0 }),
      ),
    });
    await producer.disconnect();
    expect((await taken()).toSorted()).toEqual(['before', 'foreign']);
    await waitFor(async () => (await bus.lags()).every(({ messages }) => messages === 0), {
      what: 'no lag',
    });
  });

  test('carries events of several MiB, many in one publish', async () => {
    const taken = await taking(6);
    const long = Array.from({ length: 6 }, (_, i) => message('a', `${i}${'x'.repeat(3 << 20)}`));
    await bus.publish(long);
    expect((await taken()).map((name) => name[0])).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('tells how far a group is behind', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await bus.subscribe('group', ['backend'], () => held);
    await bus.publish(['1', '2', '3'].map((name) => message('a', name)));
    expect(await bus.lags()).toEqual([{ group: 'group', topic: 'backend', messages: 3 }]);
    release();
    await waitFor(async () => (await bus.lags())[0]?.messages === 0, { what: 'no lag' });
  });
});
