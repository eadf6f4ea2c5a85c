import type { Queryable, Tx } from '@glacis/store';

export interface RunRecord {
  id: string;
  backendId: string;
  computationId: string;
  streamId: string;
  instance: string | null;
  at: Date;
}

export async function insertRun(tx: Tx, run: RunRecord): Promise<void> {
  await tx.query(
    `INSERT INTO runs (id, backend_id, computation_id, stream_id, instance, requested_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [run.id, run.backendId, run.computationId, run.streamId, run.instance, run.at],
  );
}

/** Forgets a run that was never sent. */
export async function deleteRun(
  tx: Tx,
  stream: { backendId: string; streamId: string },
  computationId: string,
): Promise<void> {
  await tx.query(
    'DELETE FROM runs WHERE backend_id = $1 AND computation_id = $2 AND stream_id = $3',
    [stream.backendId, computationId, stream.streamId],
  );
}

/** True when this stream, or an earlier one of the same manager process, was sent the run. */
export async function wasStarted(
  db: Queryable,
  stream: { backendId: string; streamId: string; instance: string | null },
  computationId: string,
): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM runs WHERE backend_id = $1 AND computation_id = $2
       AND (stream_id = $3 OR instance = $4) LIMIT 1`,
    [stream.backendId, computationId, stream.streamId, stream.instance],
  );
  return rows.length > 0;
}

/** A stop of a run older than this finds it unknown. */
export async function purgeRuns(db: Queryable): Promise<void> {
  await db.query(`DELETE FROM runs WHERE requested_at < now() - interval '30 days'`);
}
