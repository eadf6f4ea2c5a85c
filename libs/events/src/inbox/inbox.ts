import type { Queryable } from '@glacis/store';

/**
 * Marks events as taken by this service and tells which of them are new. The mark commits with the effect, so a
 * redelivered event has none. A mark that another transaction is about to commit is waited for; the marks are made in
 * one order everywhere, so that two such transactions do not wait for each other.
 */
export async function markTaken(tx: Queryable, eventIds: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ event_id: string }>(
    `INSERT INTO inbox (event_id) SELECT id FROM unnest($1::text[]) AS id ORDER BY id
     ON CONFLICT DO NOTHING RETURNING event_id`,
    [eventIds],
  );
  return new Set(rows.map((row) => row.event_id));
}
