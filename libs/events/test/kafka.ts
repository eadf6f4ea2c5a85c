import { randomUUID } from 'node:crypto';
import { Metrics } from '@glacis/observability';
import { loadSettings } from '@glacis/settings';
import { KafkaBus } from '../src/kafka/kafka-bus.js';
import { kafkaSettings, type KafkaSettings } from '../src/kafka/kafka-settings.js';
import { busMetrics } from '../src/metrics/bus-metrics.js';
import { silent } from './sink.js';

/** Settings with topics and groups of a test's own, and short times. */
export function ownKafka(
  brokers: readonly string[],
  overrides: Record<string, string> = {},
): KafkaSettings {
  return loadSettings(kafkaSettings, {
    env: {},
    overrides: {
      brokers: brokers.join(','),
      prefix: `test-${randomUUID()}.`,
      sessionTimeout: '1500ms',
      partitions: '4',
      ...overrides,
    },
  });
}

export function newKafkaBus(settings: KafkaSettings, metrics = new Metrics()): KafkaBus {
  const backoff = { initialMs: 5, factor: 2, maxMs: 100, jitter: 0 };
  return new KafkaBus({ settings, logger: silent, metrics: busMetrics(metrics), backoff });
}
