import type { Queryable } from '@glacis/store';

/** Keeps the latest document of a backend, as long as the backend exists. */
export async function saveInformation(
  db: Queryable,
  stream: { backendId: string; streamId: string },
  document: unknown,
  receivedAt: Date,
): Promise<void> {
  await db.query(
    `INSERT INTO backend_information (backend_id, document, received_at, stream_id)
     SELECT id, $2, $3, $4 FROM backends WHERE id = $1
     ON CONFLICT (backend_id) DO UPDATE SET document = excluded.document,
       received_at = excluded.received_at, stream_id = excluded.stream_id`,
    [stream.backendId, JSON.stringify(document), receivedAt, stream.streamId],
  );
}

export async function informationOf(db: Queryable, backendId: string): Promise<unknown> {
  const [row] = await db.query<{ document: unknown }>(
    'SELECT document FROM backend_information WHERE backend_id = $1',
    [backendId],
  );
  return row?.document;
}
