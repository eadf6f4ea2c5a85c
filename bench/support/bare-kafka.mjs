// kafkajs by itself on the same broker: one topic, one producer, one consumer, no database.
import kafkajs from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';

const topic = 'bare';
const batch = 256;
const partitions = 12;

/**
 * How many messages per second go from `send` to `eachBatch` without pause, and their lag in milliseconds at a pace.
 * @param {string} brokers
 * @param {{ perSecond: number, seconds: number }} load
 */
export async function bareKafka(brokers, { perSecond, seconds }) {
  const kafka = new kafkajs.Kafka({
    brokers: brokers.split(','),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  const producer = kafka.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  const consumer = kafka.consumer({ groupId: 'bare', maxWaitTimeInMs: 100 });
  let take = () => undefined;
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] });
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatch: async (payload) => payload.batch.messages.forEach(() => take(payload.batch)),
    partitionsConsumedConcurrently: partitions,
  });
  const message = (value) => ({ key: `key-${Math.random()}`, value });
  const send = (messages) => producer.send({ topic, messages });

  /** As many as the consumer has got when it has them all. */
  const all = (count, onMessage) =>
    new Promise((resolve) => {
      let got = 0;
      take = (from) => {
        onMessage(from);
        if (++got === count) resolve();
      };
    });

  const text = 'x'.repeat(400);
  const first = all(batch, () => undefined);
  await send(Array.from({ length: batch }, () => message(text)));
  await first;

  const total = 50_000;
  const began = performance.now();
  const arrived = all(total, () => undefined);
  for (let sent = 0; sent < total; sent += batch) {
    await send(Array.from({ length: Math.min(batch, total - sent) }, () => message(text)));
  }
  await arrived;
  const rate = total / ((performance.now() - began) / 1000);

  const lags = [];
  const paced = perSecond * seconds;
  let done;
  const finished = new Promise((resolve) => (done = resolve));
  take = (from) => {
    // Every message of the batch is counted by the first one.
    if (from.counted) return;
    from.counted = true;
    const now = performance.now();
    for (const { value } of from.messages) lags.push(now - Number(value.toString().split(' ', 1)));
    if (lags.length >= paced) done();
  };
  const started = performance.now();
  for (let sent = 0; sent < paced;) {
    const due = Math.min(paced, Math.floor(((performance.now() - started) / 1000) * perSecond));
    const now = performance.now();
    const messages = Array.from({ length: due - sent }, () => message(`${now} ${text}`));
    if (messages.length > 0) void send(messages);
    sent = due;
    await sleep(1);
  }
  await finished;
  await consumer.disconnect();
  await producer.disconnect();
  await admin.disconnect();
  const sorted = lags.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)];
  return { rate, p50: at(0.5), p99: at(0.99) };
}
