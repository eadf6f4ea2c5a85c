import type { Queryable } from '@glacis/store';
import type { KeyRetention } from '../settings.js';

const dayMs = 24 * 3_600_000;
const afterDownloadMs = 10 * 60_000;

/** When the key of a certificate issued now is erased (`certificates.md` 4, "stored keys"). */
export function eraseAtIssue(retention: KeyRetention, now: Date, notAfter: Date): Date {
  if (retention.kind === 'until_expiry') return notAfter;
  return new Date(now.getTime() + (retention.kind === 'duration' ? retention.ms : dayMs));
}

/** A renewed certificate uses the key of the old one, which then stays until the newest of them ends. */
export async function keepForRenewal(
  db: Queryable,
  retention: KeyRetention,
  keyId: string,
  notAfter: Date,
): Promise<void> {
  if (retention.kind !== 'until_expiry') return;
  await db.query(
    `UPDATE private_keys SET erase_at = greatest(erase_at, $2) WHERE id = $1 AND erased_at IS NULL`,
    [keyId, notAfter],
  );
}

/** The body of a download went out whole: with `until_downloaded` the key ends 10 minutes after the first one. */
export async function endAfterDownload(
  db: Queryable,
  retention: KeyRetention,
  keyId: string,
  now: Date,
): Promise<void> {
  if (retention.kind !== 'until_downloaded') return;
  await db.query(
    `UPDATE private_keys SET erase_at = least(erase_at, $2) WHERE id = $1 AND erased_at IS NULL`,
    [keyId, new Date(now.getTime() + afterDownloadMs)],
  );
}
