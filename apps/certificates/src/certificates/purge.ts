import type { Store } from '@glacis/store';
import { purgeEnrolment } from '../enrolment/enrolment-tokens.store.js';
import { purgeEnded } from '../revocation/ended-entities.store.js';

const batch = 1_000;

/**
 * Removes what nobody may ask for any more: download and enrolment tokens past their end; certificates whose status is no longer
 * told, with their keys and CRL entries; OCSP responders that have ended.
 */
export async function purge(store: Store, now: Date, statusRetentionMs: number): Promise<void> {
  await store.query(`DELETE FROM download_tokens WHERE expires_at <= $1`, [now]);
  await purgeEnrolment(store, now);
  await purgeEnded(store, now);
  const before = new Date(now.getTime() - statusRetentionMs);
  while ((await purgeCertificates(store, before)) === batch) continue;
  await purgeCrlEntries(store, now, before);
  await purgeResponders(store, now);
}

/** An entry goes when each of its scopes has had a CRL after the certificate's end, or will have none any more. */
async function purgeCrlEntries(store: Store, now: Date, before: Date): Promise<void> {
  await store.query(
    `DELETE FROM crl_entries e WHERE expires_at < $1 AND NOT EXISTS (
       SELECT FROM crl_shards s JOIN issuers i ON i.id = s.issuer_id
       WHERE s.issuer_id = e.issuer_id AND s.scope IN ('full', e.shard::text) AND i.not_after > $2
         AND (s.built_at IS NULL OR s.built_at <= e.expires_at))`,
    [before, now],
  );
}

/** Responders that have ended, with their keys: nobody signs with them again. */
async function purgeResponders(store: Store, now: Date): Promise<void> {
  await store.query(
    `WITH ended AS (DELETE FROM responders WHERE not_after <= $1 RETURNING key_id)
     DELETE FROM private_keys k USING ended WHERE k.id = ended.key_id`,
    [now],
  );
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
