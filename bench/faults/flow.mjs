// Whether events flow: none waits to be published, and none to be taken by another service.
import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';

const late = `created_at < now() - interval '1 second'`;
const waiting = `
  SELECT (SELECT count(*) FROM backends.outbox WHERE published_at IS NULL AND ${late})
       + (SELECT count(*) FROM certificates.outbox WHERE published_at IS NULL AND ${late})
       + (SELECT count(*) FROM backends.outbox LEFT JOIN certificates.inbox USING (event_id)
          WHERE type = 'backend.deleted' AND ${late} AND inbox.event_id IS NULL) AS count`;

/** Waits until no event is older than a second on its way. Gives how many are at the deadline. */
export async function eventsFlow({ databaseUrl }, deadlineMs) {
  const count = () =>
    withConnection(databaseUrl, async (database) => {
      const [row] = await database.query(waiting);
      return Number(row.count);
    });
  const flowing = waitFor(async () => (await count()) === 0, { deadlineMs, everyMs: 50 });
  return flowing.then(() => 0, count);
}
