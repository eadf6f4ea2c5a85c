import type { Logger, Metrics } from '@glacis/observability';
import type { BusDriver } from './bus.js';
import { InProcessBus } from './in-process-bus.js';
import type { KafkaSettings } from './kafka/kafka-settings.js';
import { busMetrics } from './metrics/bus-metrics.js';

/** What a bus driver is made with. */
export interface BusContext {
  logger: Logger;
  metrics: Metrics;
}

/**
 * Kafka when the settings name brokers, else the bus in the process. kafkajs is loaded only then.
 * @throws {SettingsError} when TLS or login lack something
 */
export async function chooseBus(
  settings: KafkaSettings,
  { logger, metrics }: BusContext,
): Promise<BusDriver> {
  if (settings.brokers.length === 0) return new InProcessBus({ logger });
  const { KafkaBus } = await import('./kafka/kafka-bus.js');
  return new KafkaBus({ settings, logger, metrics: busMetrics(metrics) });
}
