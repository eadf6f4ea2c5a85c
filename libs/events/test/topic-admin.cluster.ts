// Topics of others on a real broker.
import { randomUUID } from 'node:crypto';
import { sharedKafka } from '@glacis/testbed/cluster';
import { waitFor } from '@glacis/runtime';
import { KafkaClients } from '../src/kafka/kafka-client.js';
import { FewerPartitionsError, TopicAdmin } from '../src/kafka/topic-admin.js';
import { ownKafka } from './kafka.js';
import { silent } from './sink.js';

const settings = ownKafka(sharedKafka());
const topic = `test_${randomUUID()}.events`;
const topics = new TopicAdmin(settings, { logger: silent, limitMs: 10_000 });
const bystander = new KafkaClients(settings, silent).admin();

beforeAll(() => bystander.connect());
afterAll(async () => {
  await topics.remove(topic);
  await topics.close();
  await bystander.disconnect();
});

const partitions = (count: number): Promise<unknown> =>
  waitFor(async () => (await topics.partitionsOf(topic)) === count, { what: `${count} of them` });

async function setting(name: string): Promise<string | undefined> {
  const { resources } = await bystander.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: topic }],
  });
  return resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue;
}

test('graph-apps.md 4.9: a kafka topic is made, widened, never narrowed, and removed', async () => {
  expect(await topics.partitionsOf(topic)).toBeUndefined();
  await topics.remove(topic);
  await topics.ensure(topic, { partitions: 1 });
  await partitions(1);
  await topics.ensure(topic, { partitions: 3, retentionMs: 60_000 });
  await partitions(3);
  await expect(topics.ensure(topic, { partitions: 2 })).rejects.toThrow(FewerPartitionsError);
  await partitions(3);
  await topics.remove(topic);
  await waitFor(async () => (await topics.partitionsOf(topic)) === undefined);
});

test('graph-apps.md 4.9: retention is altered, and what others have set stays', async () => {
  await topics.ensure(topic, { partitions: 1, retentionMs: 60_000 });
  await partitions(1);
  await bystander.alterConfigs({
    validateOnly: false,
    resources: [
      { type: 2, name: topic, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
    ],
  });
  await topics.ensure(topic, { partitions: 1, retentionMs: -1 });
  await waitFor(async () => (await setting('retention.ms')) === '-1');
  expect(await setting('cleanup.policy')).toBe('compact');
});
