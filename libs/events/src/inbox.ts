import type { Queryable } from '@glacis/store';

/**
 * Marks events as taken by this service and tells which of them are new. The mark commits with the effect, so a
 * redelivered event has none. A mark that another transaction is about to commit is waited for.
 */
export async function markTaken(tx: Queryable, eventIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ event_id: string }>(
    'INSERT INTO inbox (event_id) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING RETURNING event_id',
    [eventIds],
  );
  return new Set(rows.map((row) => row.event_id));
}
