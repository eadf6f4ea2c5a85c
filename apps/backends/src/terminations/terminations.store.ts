import { pageOf, type Queryable, type Tx } from '@glacis/store';

/** 0: the certificate was revoked. 1: somebody's wish (`backends.md` 5). */
export type TerminationType = 0 | 1;
export type TerminationState = 'recorded' | 'delivered' | 'closed' | 'not_connected';

export interface TerminationRequest {
  id: string;
  backendId: string;
  tenant: string;
  type: TerminationType;
  reason: string | null;
  requestedBy: string;
  requestedAt: Date;
  streamId: string | null;
  state: TerminationState;
  deliveredAt: Date | null;
  closedAt: Date | null;
}

/** A stream that a request is to end. */
export interface Target {
  streamId: string;
  serial: string;
}

/** The live streams of a backend, its main one first, kept from ending until the transaction has recorded requests. */
export async function holdLiveStreams(tx: Tx, backendId: string): Promise<Target[]> {
  return tx.query<Target>(
    `SELECT stream_id AS "streamId", certificate_serial AS serial FROM backend_streams
     WHERE backend_id = $1 AND lease_until > now() ORDER BY connection = 'main' DESC FOR SHARE`,
    [backendId],
  );
}

/** Inserts the requests but those that join an open one of the same type and stream; gives the ids of the inserted. */
export async function insertRequests(
  tx: Tx,
  requests: readonly TerminationRequest[],
): Promise<Set<string>> {
  const column = <K extends keyof TerminationRequest>(key: K): TerminationRequest[K][] =>
    requests.map((request) => request[key]);
  const rows = await tx.query<{ id: string }>(
    `INSERT INTO termination_requests (id, backend_id, tenant_id, type, reason, requested_by,
       requested_at, stream_id, state, delivered_at, closed_at)
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::smallint[], $5::text[], $6::text[],
       $7::timestamptz[], $8::uuid[], $9::text[], $10::timestamptz[], $11::timestamptz[])
     ON CONFLICT (stream_id, type) WHERE state IN ('recorded', 'delivered') DO NOTHING
     RETURNING id`,
    [
      column('id'),
      column('backendId'),
      column('tenant'),
      column('type'),
      column('reason'),
      column('requestedBy'),
      column('requestedAt'),
      column('streamId'),
      column('state'),
      column('deliveredAt'),
      column('closedAt'),
    ],
  );
  return new Set(rows.map((row) => row.id));
}

/** The open request that one of the same type and stream joins. */
export async function openRequest(
  tx: Tx,
  { streamId, type }: Pick<TerminationRequest, 'streamId' | 'type'>,
): Promise<string> {
  const [row] = await tx.query<{ id: string }>(
    `SELECT id FROM termination_requests
     WHERE stream_id = $1 AND type = $2 AND state IN ('recorded', 'delivered')`,
    [streamId, type],
  );
  // The stream is kept from ending while this transaction runs, and so is its open request from being closed.
  if (!row) throw new Error('open termination request not found');
  return row.id;
}

export interface ClosedRequest {
  id: string;
  stream_id: string;
  type: TerminationType;
  delivered_at: Date | null;
}

/** Closes the open requests of streams that have ended. */
export async function closeRequests(
  tx: Tx,
  closings: readonly { streamId: string; closedAt: Date; deliveredAt: Date | null }[],
): Promise<ClosedRequest[]> {
  return tx.query<ClosedRequest>(
    `UPDATE termination_requests t
     SET state = 'closed', closed_at = c.closed_at,
       delivered_at = coalesce(t.delivered_at, c.delivered_at)
     FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
       AS c (stream_id, closed_at, delivered_at)
     WHERE t.stream_id = c.stream_id AND t.state IN ('recorded', 'delivered')
     RETURNING t.id, t.stream_id, t.type, t.delivered_at`,
    [
      closings.map((one) => one.streamId),
      closings.map((one) => one.closedAt),
      closings.map((one) => one.deliveredAt),
    ],
  );
}

export async function markDelivered(db: Queryable, streamId: string, at: Date): Promise<void> {
  await db.query(
    `UPDATE termination_requests SET state = 'delivered', delivered_at = $2
     WHERE stream_id = $1 AND state = 'recorded'`,
    [streamId, at],
  );
}

/** Of these streams the ones that somebody wants to end. */
export async function streamsToEnd(db: Queryable, streamIds: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ stream_id: string }>(
    `SELECT DISTINCT stream_id FROM termination_requests
     WHERE stream_id = ANY($1) AND state IN ('recorded', 'delivered')`,
    [streamIds],
  );
  return rows.map((row) => row.stream_id);
}

export async function requestsOf(
  db: Queryable,
  backendId: string,
  page: { offset: number; limit: number },
): Promise<{ total: number; requests: TerminationRequest[] }> {
  const select = `id, backend_id AS "backendId", tenant_id AS tenant, type, reason,
    requested_by AS "requestedBy", requested_at AS "requestedAt", stream_id AS "streamId", state,
    delivered_at AS "deliveredAt", closed_at AS "closedAt"`;
  const from = 'termination_requests WHERE backend_id = $1';
  const list = { select, from, orderBy: 'requested_at DESC, id' };
  const { total, rows: requests } = await pageOf<TerminationRequest>(db, list, [backendId], page);
  return { total, requests };
}
