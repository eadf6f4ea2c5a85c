import { sharedKafka } from '@glacis/testbed/cluster';
import { randomUUID } from 'node:crypto';
import { killRounds } from './kill-rounds.js';

test('kill -9 of replicas under load, over Kafka, loses no event, doubles no effect and keeps the order per key', async () => {
  await killRounds({
    replicas: 2,
    env: {
      KAFKA_BROKERS: sharedKafka().join(),
      GLACIS_KAFKA_PREFIX: `test-${randomUUID()}.`,
      GLACIS_KAFKA_SESSION_TIMEOUT: '1500ms',
    },
  });
}, 300_000);
