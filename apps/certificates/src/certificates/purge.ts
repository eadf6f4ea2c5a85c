import type { Store } from '@glacis/store';
import { purgeEnded } from '../revocation/ended-entities.store.js';

const batch = 1_000;

/**
 * Removes what nobody may ask for any more: download tokens past their end; certificates whose status is no longer
 * told, with their keys and the CRL entries of scopes that have outlived them.
 */
export async function purge(store: Store, now: Date, statusRetentionMs: number): Promise<void> {
  await store.query(`DELETE FROM download_tokens WHERE expires_at <= $1`, [now]);
  await purgeEnded(store, now);
  const before = new Date(now.getTime() - statusRetentionMs);
  while ((await purgeCertificates(store, before)) === batch) continue;
  await store.query(`DELETE FROM crl_entries WHERE expires_at < $1`, [before]);
}

async function purgeCertificates(store: Store, before: Date): Promise<number> {
  const removed = await store.query(
    `WITH ended AS (
       DELETE FROM certificates WHERE serial IN (
         SELECT serial FROM certificates WHERE not_after < $1 ORDER BY not_after LIMIT ${batch})
       RETURNING serial, key_id
     ), keys AS (
       DELETE FROM private_keys k USING ended WHERE k.id = ended.key_id
         AND NOT EXISTS (SELECT FROM certificates c WHERE c.key_id = k.id AND c.not_after >= $1)
     )
     SELECT serial FROM ended`,
    [before],
  );
  return removed.length;
}
