import { Loop, type Clock } from '@glacis/runtime';
import type { Logger } from '@glacis/observability';
import type { Store } from '@glacis/store';

const hour = 3_600_000;
/** How long published events stay for whoever looks for one. */
const outboxKeptMs = 24 * hour;
/** How long an event is recognised when the bus delivers it again. */
const inboxKeptMs = 7 * 24 * hour;
/** Rows of one statement; both tables are about in the order of their times, so only the oldest are looked at. */
const atOnce = 5_000;

const statements = {
  outbox: `DELETE FROM outbox WHERE published_at < $1
    AND seq IN (SELECT seq FROM outbox ORDER BY seq LIMIT ${atOnce}) RETURNING 1`,
  inbox: `DELETE FROM inbox WHERE taken_at < $1
    AND event_id IN (SELECT event_id FROM inbox ORDER BY event_id LIMIT ${atOnce}) RETURNING 1`,
};

/** Deletes what is too old from a service's outbox and inbox. */
export async function purge(store: Store, now: Date): Promise<void> {
  const before = (keptMs: number): Date => new Date(now.getTime() - keptMs);
  await deleteAll(store, statements.outbox, before(outboxKeptMs));
  await deleteAll(store, statements.inbox, before(inboxKeptMs));
}

async function deleteAll(store: Store, statement: string, before: Date): Promise<void> {
  let deleted: unknown[];
  do {
    deleted = await store.query(statement, [before]);
  } while (deleted.length === atOnce);
}

export function purgeLoop(store: Store, clock: Clock, logger: Logger): Loop {
  const { service } = store;
  return new Loop({
    name: `event purge of ${service}`,
    intervalMs: hour,
    run: () => purge(store, clock.now()),
    onError: (error) => logger.warn({ err: error, service }, 'old events not deleted'),
  });
}
