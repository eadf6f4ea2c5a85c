import { readBucketName } from './names.js';
import { ProviderError } from './provider-error.js';
import type { BucketTags, FoundBucket, NewBucket } from './storage-provider.js';

const dayMs = 86_400_000;

/** As words that every provider takes: small letters, digits and dashes; times in seconds since 1970 (jobs.md 6.1). */
export function writeTags({ job, party, attempt, expires }: BucketTags): Record<string, string> {
  return {
    'glacis-job': job,
    'glacis-party': String(party),
    'glacis-attempt': String(attempt),
    'glacis-expires': String(Math.floor(expires.getTime() / 1000)),
  };
}

/** @returns undefined where they are not ours, or not all there */
export function readTags(
  tags: Readonly<Record<string, string | undefined>>,
): BucketTags | undefined {
  const { 'glacis-job': job, 'glacis-party': party, 'glacis-attempt': attempt } = tags;
  const expires = tags['glacis-expires'];
  if (job === undefined || party === undefined || attempt === undefined || expires === undefined)
    return undefined;
  return {
    job,
    party: Number(party),
    attempt: Number(attempt),
    expires: new Date(Number(expires) * 1000),
  };
}

/**
 * A bucket that was found by its name. One without tags was just being made, and goes after a day.
 * @param made when
 */
export function foundBucket(
  name: string,
  tags: BucketTags | undefined,
  made: Date,
): FoundBucket | undefined {
  const own = readBucketName(name);
  if (own === undefined) return undefined;
  const { job, party } = own;
  const expires = new Date(made.getTime() + dayMs);
  return { name, tags: tags ?? { job, party, attempt: 0, expires } };
}

/** @throws {ProviderError} `exists` when a bucket that is there carries other tags than it should */
export function checkSameTags({ tags }: NewBucket, present: BucketTags | undefined): void {
  if (present === undefined) return;
  if (JSON.stringify(writeTags(tags)) !== JSON.stringify(writeTags(present)))
    throw new ProviderError('exists', 'the bucket belongs to something else');
}
