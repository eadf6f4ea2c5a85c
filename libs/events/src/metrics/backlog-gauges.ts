import type { Metrics } from '@glacis/observability';
import type { EventDelivery } from '../event-delivery.js';

const gauges = [
  {
    name: 'glacis_events_outbox_waiting',
    help: 'Unpublished events in the outbox',
    sql: 'SELECT count(*) AS value FROM outbox WHERE published_at IS NULL',
  },
  {
    name: 'glacis_events_outbox_age_seconds',
    help: 'Age of the oldest unpublished event',
    sql: `SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) AS value
          FROM outbox WHERE published_at IS NULL`,
  },
  {
    name: 'glacis_events_parked',
    help: 'Events that wait for a retry, or behind one of their key',
    sql: `SELECT count(*) AS value FROM event_failures WHERE state = 'parked'`,
  },
  {
    name: 'glacis_events_dead_letters',
    help: 'Events that could not be handled',
    sql: `SELECT count(*) AS value FROM event_failures WHERE state = 'dead'`,
  },
];

/** Gauges of every service's backlog, read at each scrape. A service whose database is away is left out. */
export function addBacklogGauges(metrics: Metrics, services: () => EventDelivery[]): void {
  for (const { name, help, sql } of gauges) {
    metrics.gauge({
      name,
      help,
      labels: ['service'],
      collect: async (gauge) => {
        gauge.reset();
        for (const { service, store } of services()) {
          const [row] = await store.query<{ value: string }>(sql).catch(() => []);
          if (row) gauge.set({ service }, Number(row.value));
        }
      },
    });
  }
}
