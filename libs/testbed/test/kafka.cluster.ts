import { waitFor } from '@glacis/runtime';
import { Kafka, logLevel, type KafkaConfig, type SASLOptions } from 'kafkajs';
import { readFile } from 'node:fs/promises';
import { sharedKafka, startKafka } from '../src/cluster/index.js';

const client = (config: KafkaConfig): Kafka =>
  new Kafka({
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
    ...config,
  });

/** Makes a topic and writes to it; gives how many in-sync replicas it has. */
async function writeTo(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin();
  const producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
    const partition = await waitFor(async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.find(({ leader }) => leader > 0);
    });
    const sent = await producer.send({ topic, acks: -1, messages: [{ value: 'x' }] });
    expect(sent).toMatchObject([{ topicName: topic, errorCode: 0 }]);
    return partition.isr.length;
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

it('the broker that a run shares takes messages', async () => {
  expect(await writeTo(client({ brokers: sharedKafka() }), 'testbed-shared')).toBe(1);
});

describe('startKafka', () => {
  it('gives three brokers that go on without one of them', async () => {
    const kafka = await startKafka({ brokers: 3 });
    const all = client({ brokers: kafka.brokers });
    expect(await writeTo(all, 'before')).toBe(3);
    await kafka.broker(0).kill();
    // Until another one leads, the first attempts may fail.
    expect(await waitFor(() => writeTo(all, 'after'), { deadlineMs: 60_000 })).toBeGreaterThan(1);
    await kafka.broker(0).start();
    await kafka.stop();
  }, 120_000);

  it('lets in by mutual TLS and SCRAM only', async () => {
    const user = { username: 'glacis', password: 'a password' };
    const kafka = await startKafka({ tls: true, sasl: user });
    const [ca, cert, key] = await Promise.all(
      [kafka.tls!.ca, kafka.tls!.cert, kafka.tls!.key].map((path) => readFile(path)),
    );
    // A new object for each client: kafkajs keeps the credentials of the first one in it.
    const signIn = (password: string): SASLOptions => ({
      mechanism: 'scram-sha-512',
      ...user,
      password,
    });
    const given = { brokers: kafka.brokers, ssl: { ca: [ca!], cert: cert!, key: key! } };
    const good = client({ ...given, sasl: signIn(user.password) });
    expect(await writeTo(good, 'secret')).toBe(1);
    for (const bad of [
      { ...given, sasl: signIn('wrong') },
      { ...given, ssl: { ca: [ca!] }, sasl: signIn(user.password) },
    ]) {
      const admin = client({ ...bad, retry: { retries: 0 } }).admin();
      await expect(admin.connect()).rejects.toThrow();
      await admin.disconnect();
    }
    await kafka.stop();
  }, 120_000);

  it('has a second way in, whose network can fail', async () => {
    const kafka = await startKafka({ proxied: true });
    const { proxied } = kafka;
    const through = client({
      brokers: proxied!.brokers,
      requestTimeout: 300,
      retry: { retries: 0 },
    });
    await writeTo(client({ brokers: proxied!.brokers }), 'proxied');
    proxied!.cut();
    const admin = through.admin();
    await expect(admin.connect().then(() => admin.listTopics())).rejects.toThrow();
    await admin.disconnect();
    await writeTo(client({ brokers: kafka.brokers }), 'direct');
    proxied!.heal();
    await writeTo(client({ brokers: proxied!.brokers }), 'healed');
    await kafka.stop();
  }, 120_000);
});
