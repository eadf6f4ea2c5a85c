import type { Clock } from '@glacis/runtime';
import type { Store } from '@glacis/store';

/**
 * Marks the leaves of revoked issuers, shard by shard. Every read tells them as revoked already; the marks are for whoever
 * looks at the rows. No event: `issuer.revoked` has told of all of them.
 */
export async function markLeavesOfRevoked(store: Store, clock: Clock): Promise<void> {
  const issuers = await store.query<{ id: string; revoked_at: Date; reason: number }>(
    `SELECT id, revoked_at, revocation_reason AS reason FROM issuers
     WHERE revoked_at IS NOT NULL AND leaves_marked_at IS NULL`,
  );
  for (const issuer of issuers) {
    await markLeaves(store, issuer);
    await store.query(`UPDATE issuers SET leaves_marked_at = $2 WHERE id = $1`, [
      issuer.id,
      clock.now(),
    ]);
  }
}

async function markLeaves(
  store: Store,
  { id, revoked_at, reason }: { id: string; revoked_at: Date; reason: number },
): Promise<void> {
  const shards = await store.query<{ shard: number | null }>(
    `SELECT scope::int AS shard FROM crl_shards WHERE issuer_id = $1 AND url IS NOT NULL
     UNION ALL SELECT NULL`,
    [id],
  );
  for (const { shard } of shards) {
    const inShard = shard === null ? 'shard IS NULL AND $4::int IS NULL' : 'shard = $4';
    await store.query(
      `UPDATE certificates SET status = 'revoked', revoked_at = $2, revocation_reason = $3,
         row_version = row_version + 1
       WHERE issuer_id = $1 AND ${inShard} AND status = 'valid'`,
      [id, revoked_at, reason, shard],
    );
  }
}
