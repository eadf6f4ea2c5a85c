// What must hold after a crash, read from the database and through the door.
import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';

/** Acknowledged writes that are not there, of records that nobody is at. No call may be under way meanwhile. */
export async function lostWrites(target, writers) {
  return withConnection(target.databaseUrl, async (database) => {
    const backends = await byKey(database, 'SELECT id, description FROM backends.backends', 'id');
    const certificates = await byKey(
      database,
      'SELECT serial::text, status FROM certificates.certificates',
      'serial',
    );
    return [
      ...[...writers.backends.values()].filter((each) => !each.busy && backendLost(each, backends)),
      ...[...writers.certificates.values()].filter((each) => {
        const busy = each.busy || writers.backends.get(each.backendId).busy;
        return !busy && certificateLost(each, certificates);
      }),
    ];
  });
}

function backendLost(backend, rows) {
  const row = rows.get(backend.id);
  return backend.ended ? row !== undefined : row?.description !== String(backend.version);
}

function certificateLost(certificate, rows) {
  const expected = certificate.revoked ? 'revoked' : 'valid';
  return rows.get(certificate.serial)?.status !== expected;
}

async function byKey(database, sql, key) {
  return new Map((await database.query(sql)).map((row) => [row[key], row]));
}

const services = ['backends', 'certificates', 'gateway'];

/** Waits until every event is published and every audit record sealed. Gives how many are not at the deadline. */
export async function settle(target, deadlineMs = 30_000) {
  const open = () =>
    withConnection(target.databaseUrl, async (database) => {
      const counts = services.map(
        (service) =>
          `(SELECT count(*) FROM ${service}.outbox WHERE published_at IS NULL)
           + (SELECT count(*) FROM ${service}.audit WHERE sequence IS NULL)
           + (SELECT count(*) FROM ${service}.event_failures)`,
      );
      const [row] = await database.query(`SELECT (${counts.join(' + ')})::int AS open`);
      return row.open;
    });
  const settled = waitFor(async () => (await open()) === 0, { deadlineMs, everyMs: 100 });
  return Number(await settled.then(() => 0, open));
}

/** Services whose audit trail does not verify. */
export async function brokenAudits(target) {
  const replies = await Promise.all(
    services.map((service) =>
      target.call('GET', `/audit/${service}/verification`, { accept: [200] }),
    ),
  );
  return services.filter((_, i) => !JSON.parse(replies[i].text).intact);
}

/**
 * Compares the events and effects with what was acknowledged, one to one. To be called when nothing is under way.
 * @returns what is missing, and what is there more than once
 */
export async function eventsAndEffects(target, writers) {
  const { backends, certificates } = expectations(writers);
  return withConnection(target.databaseUrl, async (database) => {
    const found = new Map();
    const count = (kind, key, times) => found.set(`${kind} ${key}`, times);
    for (const service of ['backends', 'certificates']) {
      const rows = await database.query(
        `SELECT type, key, count(*)::int FROM ${service}.outbox GROUP BY type, key
         UNION ALL
         SELECT 'audit ' || action, subject, count(*)::int FROM ${service}.audit
         GROUP BY action, subject`,
      );
      rows.forEach((row) => count(row.type, row.key, row.count));
    }
    const taken = await database.query(
      `SELECT key, count(inbox.event_id)::int FROM backends.outbox
       LEFT JOIN certificates.inbox USING (event_id) WHERE type = 'backend.deleted' GROUP BY key`,
    );
    taken.forEach((row) => count('taken backend.deleted', row.key, row.count));
    return compare([...backends, ...certificates], found);
  });
}

function expectations(writers) {
  const backends = [...writers.backends.values()].flatMap(({ id, ended }) => [
    [`backend.created ${id}`, 1],
    [`backend.deleted ${id}`, ended ? 1 : 0],
    [`audit backend.delete ${id}`, ended ? 1 : 0],
    [`taken backend.deleted ${id}`, ended ? 1 : 0],
  ]);
  const certificates = [...writers.certificates.values()].flatMap(({ serial, revoked }) => [
    [`certificate.issued ${serial}`, 1],
    [`certificate.revoked ${serial}`, revoked ? 1 : 0],
    [`audit certificate.issue ${serial}`, 1],
    [`audit certificate.revoke ${serial}`, revoked ? 1 : 0],
  ]);
  return { backends, certificates };
}

function compare(expected, found) {
  const missing = [];
  const doubled = [];
  for (const [what, times] of expected) {
    const seen = found.get(what) ?? 0;
    if (seen < times) missing.push(what);
    if (seen > times) doubled.push(`${what} (${seen} times)`);
  }
  return { missing, doubled };
}

/** Rows that no acknowledged call explains: an effect of a repeated call that happened twice. */
export async function unexplained(target, writers) {
  return withConnection(target.databaseUrl, async (database) => {
    const backends = await database.query('SELECT id AS key FROM backends.backends');
    const certificates = await database.query(
      `SELECT serial::text AS key FROM certificates.certificates WHERE entity_type = 'backend'`,
    );
    return [
      ...backends.filter(({ key }) => !writers.backends.has(key)),
      ...certificates.filter(({ key }) => !writers.certificates.has(key)),
    ].map(({ key }) => key);
  });
}
