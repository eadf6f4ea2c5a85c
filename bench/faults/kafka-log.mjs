// What the brokers hold, read from the first offset by a consumer group of its own, compared with the outboxes.
import { randomUUID } from 'node:crypto';
import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';
import kafkajs from 'kafkajs';

/** @returns events of the outboxes that the brokers lack, and keys whose events stand there in another order */
export async function compareWithOutboxes(brokers, databaseUrl) {
  const written = await outboxes(databaseUrl);
  const found = await readTopics(brokers, new Set(written.map(({ topic }) => topic)));
  const missing = written.filter(({ id }) => !found.has(id));
  const disordered = [...byKey(written)].filter(([, events]) =>
    events.some(({ id }, i) => i > 0 && found.get(id) < found.get(events[i - 1].id)),
  );
  return { missing, disordered: disordered.map(([key]) => key) };
}

async function outboxes(databaseUrl) {
  return withConnection(databaseUrl, (database) =>
    database.query(
      ['backends', 'certificates', 'gateway']
        .map(
          (name) =>
            `SELECT '${name}' AS service, seq, event_id AS id, topic, key, type FROM ${name}.outbox`,
        )
        .join(' UNION ALL ') + ' ORDER BY service, seq',
    ),
  );
}

/** First place of each event by its id. A key has one partition, so places of one key can be compared. */
async function readTopics(brokers, topics) {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `faults-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const places = new Map();
  const open = new Map();
  await Promise.all([admin.connect(), consumer.connect()]);
  for (const topic of topics) {
    const name = `glacis.${topic}`;
    for (const { partition, high } of await admin.fetchTopicOffsets(name)) {
      if (Number(high) > 0) open.set(`${name}/${partition}`, Number(high));
    }
    await consumer.subscribe({ topic: name, fromBeginning: true });
  }
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { offset, headers } of batch.messages) {
        const id = headers.ce_id.toString();
        if (!places.has(id)) places.set(id, Number(offset));
      }
      const place = `${batch.topic}/${batch.partition}`;
      if (Number(batch.lastOffset()) + 1 >= open.get(place)) open.delete(place);
    },
  });
  await waitFor(() => open.size === 0, { what: 'all events of the topics', deadlineMs: 120_000 });
  await Promise.all([consumer.disconnect(), admin.disconnect()]);
  return places;
}

function byKey(events) {
  const keys = new Map();
  for (const event of events) {
    const key = `${event.service} ${event.topic} ${event.key}`;
    keys.set(key, [...(keys.get(key) ?? []), event]);
  }
  return keys;
}
