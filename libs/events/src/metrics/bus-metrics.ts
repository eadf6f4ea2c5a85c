import type { Metrics } from '@glacis/observability';
import type { BusDriver } from '../bus.js';

/** Counters of a bus over the network. */
export interface BusMetrics {
  publishFailed(topic: string): void;
  rebalanced(group: string): void;
}

export function busMetrics(metrics: Metrics): BusMetrics {
  const failures = metrics.counter({
    name: 'glacis_events_publish_failures_total',
    help: 'Attempts at publishing that failed and are made again',
    labels: ['topic'],
  });
  const rebalances = metrics.counter({
    name: 'glacis_events_rebalances_total',
    help: 'Times that this process was assigned partitions of a consumer group',
    labels: ['group'],
  });
  return {
    publishFailed: (topic) => failures.inc({ topic }),
    rebalanced: (group) => rebalances.inc({ group }),
  };
}

/** Adds the gauge of what waits on the bus, read at each scrape; empty while the bus does not answer. */
export function addLagGauge(metrics: Metrics, bus: BusDriver): void {
  metrics.gauge({
    name: 'glacis_events_consumer_lag',
    help: 'Events of a topic that the bus holds and the consumer group has not taken',
    labels: ['group', 'topic'],
    collect: async (gauge) => {
      const lags = await bus.lags().catch(() => []);
      gauge.reset();
      for (const { group, topic, messages } of lags) gauge.set({ group, topic }, messages);
    },
  });
}
