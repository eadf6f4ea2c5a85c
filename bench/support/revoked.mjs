// Revoked certificates by the hundred thousand, written straight into the database: through the door they would take
// minutes, and only their number matters.
import pg from 'pg';
import * as pki from '@glacis/pki';

async function query(databaseUrl, text, values) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query('SET search_path TO certificates');
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

export async function revokedCount(databaseUrl) {
  const [row] = await query(databaseUrl, 'SELECT count(*)::int AS count FROM crl_entries');
  return row.count;
}

/** Copies one certificate as often as told, each revoked and with its CRL entry. */
export async function revokeMany(databaseUrl, count) {
  const revokedAt = new Date();
  const step = 10_000;
  for (let done = 0; done < count; done += step) {
    const entries = Array.from({ length: Math.min(step, count - done) }, () => {
      const serial = pki.newSerial();
      const entry = pki.crlEntry({ serial, revokedAt, reason: 4 });
      return { serial: String(serial), entry: `\\x${entry.toString('hex')}` };
    });
    await query(
      databaseUrl,
      `WITH given AS (
         SELECT serial, entry, nextval('revocation_sequence') AS seq
         FROM json_to_recordset($1) AS given (serial numeric, entry bytea)
       ), template AS (SELECT c AS leaf FROM certificates c LIMIT 1), copied AS (
         INSERT INTO certificates SELECT (jsonb_populate_record(leaf, jsonb_build_object(
             'serial', given.serial, 'status', 'revoked', 'revoked_at', $2::timestamptz,
             'revocation_reason', 4, 'revocation_seq', given.seq, 'key_id', NULL))).*
         FROM given, template
       )
       INSERT INTO crl_entries (issuer_id, shard, serial, entry, revoked_at, change_seq, expires_at)
       SELECT (leaf).issuer_id, (leaf).shard, given.serial, entry, $2, given.seq, (leaf).not_after
       FROM given, template`,
      [JSON.stringify(entries), revokedAt],
    );
  }
  // What the bulk left to do, lest it runs beside what is measured next.
  await query(databaseUrl, 'VACUUM ANALYZE');
}
