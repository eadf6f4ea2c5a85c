import { randomUUID } from 'node:crypto';
import { Metrics } from '@glacis/observability';
import { KafkaBus } from '../src/kafka/kafka-bus.js';
import { kafkaSettings, type KafkaSettings } from '../src/kafka/kafka-settings.js';
import { loadSettings } from '@glacis/settings';
import { busMetrics } from '../src/metrics/bus-metrics.js';
import { busContract } from './bus-contract.js';
import { silent } from './sink.js';

const backoff = { initialMs: 5, factor: 2, maxMs: 100, jitter: 0 };

/** Topics and groups of a test's own. */
function ownSettings(overrides: Record<string, string> = {}): KafkaSettings {
  return loadSettings(kafkaSettings, {
    env: {},
    overrides: {
      brokers: process.env['KAFKA_BROKERS'] ?? '',
      prefix: `test-${randomUUID()}.`,
      sessionTimeout: '1500ms',
      partitions: '4',
      ...overrides,
    },
  });
}

busContract('the Kafka bus, on one broker,', async () => {
  const settings = ownSettings();
  return {
    topics: ['backend', 'certificate'],
    connect: async () =>
      new KafkaBus({ settings, logger: silent, metrics: busMetrics(new Metrics()), backoff }),
    stop: async () => undefined,
  };
});
