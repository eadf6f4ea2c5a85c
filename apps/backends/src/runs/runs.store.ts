import { pageOf, type Queryable, type Tx } from '@glacis/store';

export interface RunRecord {
  id: string;
  backendId: string;
  computationId: string;
  streamId: string;
  instance: string | null;
  at: Date;
}

/** False when the stream has ended: its runs are told of as not sent, and this one would be missed. */
export async function insertRun(tx: Tx, run: RunRecord): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO runs (id, backend_id, computation_id, stream_id, instance, requested_at)
     SELECT $1, backend_id, $3, stream_id, $5, $6 FROM backend_streams
     WHERE backend_id = $2 AND stream_id = $4 FOR SHARE
     RETURNING 1`,
    [run.id, run.backendId, run.computationId, run.streamId, run.instance, run.at],
  );
  return rows.length > 0;
}

/** Notes that a run is about to be sent; false when it is not to be sent any more. */
export async function markSent(db: Queryable, id: string): Promise<boolean> {
  const rows = await db.query('UPDATE runs SET sent_at = now() WHERE id = $1 RETURNING 1', [id]);
  return rows.length > 0;
}

/** Forgets a run that was never sent. */
export async function deleteRun(tx: Tx, id: string): Promise<void> {
  await tx.query('DELETE FROM runs WHERE id = $1', [id]);
}

/** Forgets the runs of streams that have ended before they could be sent, and gives them. */
export async function deleteUnsent(
  tx: Tx,
  streamIds: readonly string[],
): Promise<{ computation_id: string; stream_id: string }[]> {
  return tx.query(
    `DELETE FROM runs WHERE stream_id = ANY($1) AND sent_at IS NULL
     RETURNING computation_id, stream_id`,
    [streamIds],
  );
}

/** True when this stream, or an earlier one of the same manager process, was sent the run. */
export async function wasSent(
  db: Queryable,
  stream: { backendId: string; streamId: string; instance: string | null },
  computationId: string,
): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM runs WHERE backend_id = $1 AND computation_id = $2
       AND (stream_id = $3 OR instance = $4) AND sent_at IS NOT NULL LIMIT 1`,
    [stream.backendId, computationId, stream.streamId, stream.instance],
  );
  return rows.length > 0;
}

/** True when a client that takes one run at a time has taken another since it was last sent this one. */
export async function isSuperseded(
  db: Queryable,
  { backendId, instance }: { backendId: string; instance: string | null },
  computationId: string,
): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM runs WHERE backend_id = $1 AND instance = $2 AND computation_id <> $3
       AND answered_at IS NOT NULL AND error IS NULL
       AND sent_at > (SELECT max(sent_at) FROM runs
         WHERE backend_id = $1 AND instance = $2 AND computation_id = $3) LIMIT 1`,
    [backendId, instance, computationId],
  );
  return rows.length > 0;
}

/** A stop of a run older than this finds it unknown. */
export async function purgeRuns(db: Queryable): Promise<void> {
  await db.query(`DELETE FROM runs WHERE requested_at < now() - interval '30 days'`);
}

/** Notes the answer to the newest run of this computation that was sent and has none yet. */
export async function noteAnswer(
  db: Queryable,
  backendId: string,
  answer: { computationId: string; error: string; agentPort: string },
): Promise<void> {
  await db.query(
    `UPDATE runs SET answered_at = now(), error = nullif($3, ''), agent_port = nullif($4, '')
     WHERE id = (
       SELECT id FROM runs WHERE backend_id = $1 AND computation_id = $2
         AND sent_at IS NOT NULL AND answered_at IS NULL
       ORDER BY requested_at DESC LIMIT 1)`,
    [backendId, answer.computationId, answer.error, answer.agentPort],
  );
}

export interface ListedRun {
  computationId: string;
  requestedAt: Date;
  sentAt: Date | null;
  answeredAt: Date | null;
  error: string | null;
  agentPort: string | null;
}

/** The runs of a backend, newest first. */
export async function listRuns(
  db: Queryable,
  backendId: string,
  page: { offset: number; limit: number },
): Promise<{ total: number; runs: ListedRun[] }> {
  const select = `computation_id AS "computationId", requested_at AS "requestedAt",
    sent_at AS "sentAt", answered_at AS "answeredAt", error, agent_port AS "agentPort"`;
  const list = { select, from: 'runs WHERE backend_id = $1', orderBy: 'requested_at DESC, id' };
  const { total, rows: runs } = await pageOf<ListedRun>(db, list, [backendId], page);
  return { total, runs };
}
