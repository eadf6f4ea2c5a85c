import type { Queryable, Tx } from '@glacis/store';
import {
  slotKey,
  type ConnectionType,
  type DisconnectReason,
  type StreamClosing,
  type StreamOpening,
} from './stream.js';

export interface StreamRow {
  backend_id: string;
  tenant_id: string;
  stream_id: string;
  epoch: string;
  certificate_serial: string;
  opened_at: Date;
  connection: ConnectionType;
}

const rowColumns =
  'backend_id, tenant_id, stream_id, epoch, certificate_serial, opened_at, connection';

/** The end of a stream that is told by somebody else than its holder. */
export function closingOf(row: StreamRow, reason: DisconnectReason, closedAt: Date): StreamClosing {
  return {
    backendId: row.backend_id,
    connection: row.connection,
    tenant: row.tenant_id,
    streamId: row.stream_id,
    serial: row.certificate_serial,
    reason,
    openedAt: row.opened_at,
    closedAt,
    deliveredAt: null,
  };
}

/** Opens that one serial may make: a burst of 10, then one per 3 s (`backends.md` 4.2). */
const BURST = 10;
const REFILL_SECONDS = 3;

/** Takes one open from the budget of a serial, which all replicas share; false: none is left. */
export async function takeOpen(tx: Tx, serial: string): Promise<boolean> {
  const refilled = `LEAST($2, b.tokens + extract(epoch FROM now() - b.at) / $3)`;
  const rows = await tx.query(
    `INSERT INTO stream_open_budgets AS b (serial, tokens, at) VALUES ($1, $2::float8 - 1, now())
     ON CONFLICT (serial) DO UPDATE SET tokens = ${refilled} - 1, at = now()
       WHERE ${refilled} >= 1
     RETURNING 1`,
    [serial, BURST, REFILL_SECONDS],
  );
  return rows.length > 0;
}

/** Marks the backend as connected and gives the epoch of its new stream; undefined when the backend is gone. */
export async function nextEpoch(tx: Tx, opening: StreamOpening): Promise<number | undefined> {
  const [row] = await tx.query<{ stream_epoch: string }>(
    `UPDATE backends SET stream_epoch = stream_epoch + 1, last_seen = greatest(last_seen, $5),
       protocol_seen = CASE WHEN $7 THEN $3 ELSE protocol_seen END,
       manager_version = CASE WHEN $7 THEN $4 ELSE manager_version END,
       last_serial = CASE WHEN $7 THEN $6 ELSE last_serial END
     WHERE id = $1 AND tenant_id = $2 AND deleting_at IS NULL
     RETURNING stream_epoch`,
    [
      opening.backendId,
      opening.tenant,
      opening.dialect,
      opening.version,
      opening.openedAt,
      opening.serial,
      opening.connection === 'main',
    ],
  );
  return row && Number(row.stream_epoch);
}

/** The streams of a backend, one per slot, kept from ending until the transaction does. */
export async function lockStreams(tx: Tx, backendId: string): Promise<StreamRow[]> {
  return tx.query<StreamRow>(
    `SELECT ${rowColumns} FROM backend_streams WHERE backend_id = $1 ORDER BY stream_id FOR UPDATE`,
    [backendId],
  );
}

export interface SlotHolder {
  epoch: number;
  replicaId: string;
  leaseMs: number;
}

export async function insertStream(
  tx: Tx,
  opening: StreamOpening,
  holder: SlotHolder,
): Promise<void> {
  await tx.query(
    `INSERT INTO backend_streams (backend_id, tenant_id, stream_id, epoch, replica_id,
       certificate_serial, issuer_id, instance, dialect, ambiguous, peer, opened_at, lease_until,
       connection)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now() + $13 * interval '1 ms', $14)`,
    [
      opening.backendId,
      opening.tenant,
      opening.streamId,
      holder.epoch,
      holder.replicaId,
      opening.serial,
      opening.issuerId,
      opening.instance,
      opening.dialect,
      opening.ambiguous,
      opening.peer,
      opening.openedAt,
      holder.leaseMs,
      opening.connection,
    ],
  );
}

/**
 * Keeps others from opening or ending streams of these backends. The row of a backend is locked before that of its
 * stream, as in `nextEpoch`, and rows of many backends in the order of their ids.
 */
export async function lockBackends(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query('SELECT 1 FROM backends WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE', [ids]);
}

/** Notes when backends were last heard; their rows are locked in the order of their ids. */
export async function touchBackends(
  db: Queryable,
  heardInAnyOrder: readonly { backendId: string; at: Date }[],
): Promise<void> {
  const heard = heardInAnyOrder.toSorted((a, b) => (a.backendId < b.backendId ? -1 : 1));
  await db.query(
    `UPDATE backends b SET last_seen = h.at
     FROM unnest($1::uuid[], $2::timestamptz[]) AS h (id, at)
     WHERE b.id = h.id AND (b.last_seen IS NULL OR b.last_seen < h.at)`,
    [heard.map((one) => one.backendId), heard.map((one) => one.at)],
  );
}

/** Frees the slots that these streams still hold, and tells which they were: a newer stream is left alone. */
export async function deleteStreams(
  tx: Tx,
  closings: readonly StreamClosing[],
): Promise<Set<string>> {
  const rows = await tx.query<{ stream_id: string }>(
    `DELETE FROM backend_streams s USING unnest($1::uuid[], $2::uuid[]) AS c (backend_id, stream_id)
     WHERE s.backend_id = c.backend_id AND s.stream_id = c.stream_id
     RETURNING s.stream_id`,
    [closings.map((one) => one.backendId), closings.map((one) => one.streamId)],
  );
  return new Set(rows.map((row) => row.stream_id));
}

/** Extends the leases of streams that hold their slot, and gives the stream ids of those. */
export async function renewLeases(
  db: Queryable,
  streams: readonly { backendId: string; streamId: string }[],
  leaseMs: number,
): Promise<Set<string>> {
  const rows = await db.query<{ stream_id: string }>(
    `UPDATE backend_streams s SET lease_until = now() + $3 * interval '1 ms'
     FROM unnest($1::uuid[], $2::uuid[]) AS l (backend_id, stream_id)
     WHERE s.backend_id = l.backend_id AND s.stream_id = l.stream_id
     RETURNING s.stream_id`,
    [streams.map((one) => one.backendId), streams.map((one) => one.streamId), leaseMs],
  );
  return new Set(rows.map((row) => row.stream_id));
}

/** Backends whose stream has not had its lease renewed. */
export async function lostBackends(tx: Tx): Promise<string[]> {
  const rows = await tx.query<{ backend_id: string }>(
    'SELECT backend_id FROM backend_streams WHERE lease_until < clock_timestamp() LIMIT 500',
  );
  return rows.map((row) => row.backend_id);
}

/** Their streams that are still lost, locked; one that is being renewed at the moment is not. */
export async function lostStreams(tx: Tx, backendIds: readonly string[]): Promise<StreamRow[]> {
  return tx.query<StreamRow>(
    `SELECT ${rowColumns} FROM backend_streams
     WHERE backend_id = ANY($1) AND lease_until < clock_timestamp() FOR UPDATE SKIP LOCKED`,
    [backendIds],
  );
}

/** The epoch of each stream that these backends have now, by `slotKey`. */
export async function currentEpochs(
  db: Queryable,
  backendIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await db.query<{ backendId: string; connection: ConnectionType; epoch: string }>(
    'SELECT backend_id AS "backendId", connection, epoch FROM backend_streams WHERE backend_id = ANY($1)',
    [backendIds],
  );
  return new Map(rows.map((row) => [slotKey(row), Number(row.epoch)]));
}

/** A stream that turned out to speak another dialect than its client's signs had said. */
export async function decideDialect(
  db: Queryable,
  stream: { backendId: string; streamId: string },
  dialect: string,
): Promise<void> {
  await db.query(
    `WITH decided AS (
       UPDATE backend_streams SET dialect = $3, ambiguous = false
       WHERE backend_id = $1 AND stream_id = $2 RETURNING backend_id)
     UPDATE backends b SET protocol_seen = $3 FROM decided d WHERE b.id = d.backend_id`,
    [stream.backendId, stream.streamId, dialect],
  );
}
