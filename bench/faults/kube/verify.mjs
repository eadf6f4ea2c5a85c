// What the suite has done, by its own records, against what the TeeManagers have asked for.
import { withConnection } from '@glacis/store';

/** No two certificates of one host are made within so many milliseconds without being asked for. */
const shortestLifeMs = 60_000;

/** @returns backends and certificates that nobody asked for, and those that are missing */
export async function actions(databaseUrl, wanted) {
  return withConnection(databaseUrl, async (database) => {
    const events = await database.query(
      `SELECT type, key, envelope::jsonb -> 'data' ->> 'name' AS name FROM backends.outbox
       WHERE type IN ('backend.created', 'backend.deleted')`,
    );
    const certificates = await database.query(
      'SELECT entity_id AS id, issued_at, status FROM certificates.certificates ORDER BY issued_at',
    );
    const found = { doubled: [], missing: [], left: [] };
    for (const [name, wish] of wanted) {
      const own = events.filter((each) => each.name === name);
      const ids = new Set(own.map(({ key }) => key));
      count(found, `backend ${name}`, { seen: ids.size, asked: 1 });
      const deleted = own.filter(({ type }) => type === 'backend.deleted').length;
      count(found, `deletion ${name}`, { seen: deleted, asked: wish.gone ? 1 : 0 });
      const issued = certificates.filter(({ id }) => ids.has(id));
      if (wish.renewing) found.doubled.push(...tooSoon(name, issued));
      else count(found, `certificate ${name}`, { seen: issued.length, asked: wish.certificates });
      const valid = issued.filter(({ status }) => status === 'valid').length;
      if (wish.gone && valid > 0) found.left.push(`${name}: ${valid} valid certificates`);
    }
    return { ...found, certificates: certificates.length };
  });
}

function count(found, what, { seen, asked }) {
  if (seen > asked) found.doubled.push(`${what}: ${seen}, asked for ${asked}`);
  if (seen < asked) found.missing.push(`${what}: ${seen}, asked for ${asked}`);
}

function tooSoon(name, issued) {
  return issued
    .slice(1)
    .map(({ issued_at: at }, i) => at - issued[i].issued_at)
    .filter((ms) => ms < shortestLifeMs)
    .map((ms) => `certificate ${name}: after ${ms} ms`);
}
