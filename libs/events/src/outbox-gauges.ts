import type { Metrics } from '@glacis/observability';
import type { EventDelivery } from './event-delivery.js';

interface Backlog {
  waiting: string;
  age: string;
  parked: string;
  dead: string;
}

/** One row: what waits in the outbox and for how long, and what could not be handled. */
const backlogQuery = `SELECT
    (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS waiting,
    (SELECT coalesce(extract(epoch FROM now() - created_at), 0) FROM outbox
      WHERE published_at IS NULL ORDER BY seq LIMIT 1) AS age,
    (SELECT count(*) FROM event_failures WHERE state = 'parked') AS parked,
    (SELECT count(*) FROM event_failures WHERE state = 'dead') AS dead`;

/** Gauges of every service's backlog, read at each scrape. A service whose database is away is left out. */
export function addBacklogGauges(metrics: Metrics, services: () => EventDelivery[]): void {
  const gauge = (name: string, help: string): ReturnType<typeof metrics.gauge<'service'>> =>
    metrics.gauge({ name, help, labels: ['service'] });
  const age = gauge('glacis_events_outbox_age_seconds', 'Age of the oldest unpublished event');
  const parked = gauge('glacis_events_parked', 'Events that wait for a retry, or behind one');
  const dead = gauge('glacis_events_dead_letters', 'Events that could not be handled');
  metrics.gauge({
    name: 'glacis_events_outbox_waiting',
    help: 'Unpublished events in the outbox',
    labels: ['service'],
    collect: async (waiting) => {
      for (const { service, store } of services()) {
        const [row] = await store.query<Backlog>(backlogQuery).catch(() => []);
        if (!row) continue;
        waiting.set({ service }, Number(row.waiting));
        age.set({ service }, Number(row.age ?? 0));
        parked.set({ service }, Number(row.parked));
        dead.set({ service }, Number(row.dead));
      }
    },
  });
}
