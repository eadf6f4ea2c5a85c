import { isEventType } from '@glacis/contracts';
import type { Metrics } from '@glacis/observability';

/** Counters of one service's events, in the process-wide registry. */
export interface EventsMetrics {
  published(count: number): void;
  handled(type: string, lagMs: number): void;
  failed(type: string, outcome: 'parked' | 'dead'): void;
}

export function eventsMetrics(metrics: Metrics, service: string): EventsMetrics {
  const published = metrics.counter({
    name: 'glacis_events_published_total',
    help: 'Events that the bus has taken from the outbox',
    labels: ['service'],
  });
  const handled = metrics.counter({
    name: 'glacis_events_handled_total',
    help: 'Events whose effect is committed',
    labels: ['service', 'type'],
  });
  const failed = metrics.counter({
    name: 'glacis_events_failed_total',
    help: 'Failed attempts at an event, by what became of it',
    labels: ['service', 'type', 'outcome'],
  });
  const lag = metrics.histogram({
    name: 'glacis_events_lag_seconds',
    help: 'Time from an event to the commit of its effect',
    labels: ['service'],
  });
  return {
    published: (count) => published.inc({ service }, count),
    handled: (type, lagMs) => {
      handled.inc({ service, type });
      lag.observe({ service }, Math.max(0, lagMs) / 1000);
    },
    // Any text may come as a type from outside; it must not make a series of its own.
    failed: (type, outcome) =>
      failed.inc({ service, type: isEventType(type) ? type : 'unknown', outcome }),
  };
}
