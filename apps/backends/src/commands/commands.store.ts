import type { Queryable } from '@glacis/store';
import type { Asker } from './asker.js';

/** What became of a command: a reply, or a refusal. */
export type Outcome = { reply: unknown } | { code: number; reason: string; message: string };

export interface Command {
  id: string;
  backendId: string;
  kind: string;
  asker: Asker;
  payload: Buffer;
}

export async function insertCommand(
  db: Queryable,
  command: Command,
  patienceMs: number,
): Promise<void> {
  await db.query(
    `INSERT INTO stream_commands (id, backend_id, kind, asker, payload, expires_at)
     VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 ms')`,
    [
      command.id,
      command.backendId,
      command.kind,
      JSON.stringify(command.asker),
      command.payload,
      patienceMs,
    ],
  );
}

/** The outcome, once there is one. */
export async function outcomeOf(db: Queryable, id: string): Promise<Outcome | undefined> {
  const [row] = await db.query<{ outcome: Outcome | null }>(
    'SELECT outcome FROM stream_commands WHERE id = $1',
    [id],
  );
  return row?.outcome ?? undefined;
}

/** Takes the command back; false when a replica has taken it before. */
export async function withdraw(db: Queryable, id: string): Promise<boolean> {
  const rows = await db.query(
    'DELETE FROM stream_commands WHERE id = $1 AND taken_by IS NULL RETURNING 1',
    [id],
  );
  return rows.length > 0;
}

export async function deleteCommand(db: Queryable, id: string): Promise<void> {
  await db.query('DELETE FROM stream_commands WHERE id = $1', [id]);
}

/** Takes a command that is still waited for and that nobody else has taken. */
export async function takeCommand(
  db: Queryable,
  id: string,
  replicaId: string,
): Promise<Command | undefined> {
  const [row] = await db.query<Command>(
    `UPDATE stream_commands SET taken_by = $2
     WHERE id = $1 AND taken_by IS NULL AND expires_at > now()
     RETURNING id, backend_id AS "backendId", kind, asker, payload`,
    [id, replicaId],
  );
  return row;
}

/** Null: the stream has gone to another replica, which may take the command. */
export async function settleCommand(
  db: Queryable,
  id: string,
  outcome: Outcome | null,
): Promise<void> {
  await db.query(
    `UPDATE stream_commands SET outcome = $2,
       taken_by = CASE WHEN $2::jsonb IS NULL THEN NULL ELSE taken_by END
     WHERE id = $1`,
    [id, outcome === null ? null : JSON.stringify(outcome)],
  );
}

/** The commands for these backends that nobody has taken. */
export async function openCommands(
  db: Queryable,
  backendIds: readonly string[],
): Promise<Pick<Command, 'id' | 'backendId'>[]> {
  return db.query(
    `SELECT id, backend_id AS "backendId" FROM stream_commands
     WHERE backend_id = ANY($1) AND taken_by IS NULL AND expires_at > now()`,
    [backendIds],
  );
}

export async function purgeCommands(db: Queryable): Promise<void> {
  await db.query(`DELETE FROM stream_commands WHERE expires_at < now() - interval '1 hour'`);
}
