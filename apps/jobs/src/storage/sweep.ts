import type { Call, StorageProvider, StoredObject } from './storage-provider.js';

/**
 * Deletes what is longer than an object may be, where the provider could not refuse it (jobs.md 6.2).
 * @returns what it deleted
 */
export async function sweep(
  provider: StorageProvider,
  bucket: string,
  maxBytes: number,
  call: Call,
): Promise<StoredObject[]> {
  const found = await provider.list(bucket, '', call);
  const tooLong = found.filter(({ size }) => size > maxBytes);
  for (const { key } of tooLong) await provider.deleteObject({ bucket, key }, call);
  return tooLong;
}
