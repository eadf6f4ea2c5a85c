import {
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  type S3Client,
} from '@aws-sdk/client-s3';
import { ProviderError } from '../provider-error.js';
import type { StoredObject } from '../storage-provider.js';

/** One version of an object, or the mark that it was deleted. */
export interface Version extends ObjectIdentifier {
  Key: string;
  Size?: number;
  LastModified?: Date;
  /** False: a mark. */
  isObject: boolean;
}

/** Every version whose key begins so; of a key the newest first, as the provider lists them. */
export async function* versions(
  s3: S3Client,
  place: { bucket: string; prefix: string },
  signal: AbortSignal,
): AsyncGenerator<Version> {
  let more: { KeyMarker?: string; VersionIdMarker?: string } = {};
  do {
    const page = await s3.send(
      new ListObjectVersionsCommand({ Bucket: place.bucket, Prefix: place.prefix, ...more }),
      { abortSignal: signal },
    );
    const objects = (page.Versions ?? []).map((each) => ({ ...each, isObject: true }));
    const marks = (page.DeleteMarkers ?? []).map((each) => ({ ...each, isObject: false }));
    for (const each of [...objects, ...marks]) yield { ...each, Key: each.Key ?? '' };
    more = page.IsTruncated
      ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
      : {};
  } while (more.KeyMarker !== undefined);
}

/** Of each key the oldest version: what was stored first counts, as nobody can replace it (jobs.md 6.2). */
export async function oldest(bucket: string, all: AsyncIterable<Version>): Promise<StoredObject[]> {
  const byKey = new Map<string, StoredObject>();
  for await (const { Key: key, VersionId, Size = 0, ETag = '', isObject } of all) {
    if (!isObject) continue;
    byKey.set(key, { bucket, key, version: VersionId ?? '', size: Size, etag: ETag });
  }
  return [...byKey.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Objects that one call deletes at most. */
const batch = 1000;

export async function deleteVersions(
  s3: S3Client,
  bucket: string,
  all: AsyncIterable<Version>,
  signal: AbortSignal,
): Promise<void> {
  let found: ObjectIdentifier[] = [];
  const flush = async (): Promise<void> => {
    const Delete = { Objects: found, Quiet: true };
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete });
    const { Errors = [] } = await s3.send(command, { abortSignal: signal });
    if (Errors.length > 0) throw new ProviderError('unavailable', 'some objects were not deleted');
    found = [];
  };
  for await (const { Key, VersionId } of all) {
    found.push({ Key, VersionId });
    if (found.length === batch) await flush();
  }
  if (found.length > 0) await flush();
}
