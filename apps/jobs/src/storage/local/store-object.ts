import { rm, type FileHandle } from 'node:fs/promises';
import { newId } from '@glacis/runtime';
import type { ByteSource } from '@glacis/shares';
import { bounded } from '../bounded.js';
import { ProviderError } from '../provider-error.js';
import type { StoredObject } from '../storage-provider.js';
import { failureOf } from './file-errors.js';
import type { LocalBuckets } from './local-buckets.js';
import { sealStream } from './seal-stream.js';
import { sealedLength } from './sealed-length.js';

export interface NewObject {
  bucket: string;
  key: string;
  /** Longest object, before sealing. */
  maxBytes: number;
  /** True: the bytes are sealed already, and are kept as they come. */
  sealed?: boolean;
}

const magic = Buffer.from('GSEAL1');

/**
 * Writes an object while its bytes come, sealed if its bucket says so: into a file beside the objects first, synced,
 * then linked. Whatever goes wrong, nothing of it is left. Memory is a few frames.
 * @throws {ProviderError} `exists`, `denied`, `invalid` (frozen), `not_found`; TooLongError; what the source threw
 */
export async function storeObject(
  buckets: LocalBuckets,
  object: NewObject,
  source: ByteSource,
): Promise<StoredObject> {
  const { bucket, key } = object;
  const { sealKey } = await buckets.read(bucket);
  const { file, handle } = await buckets.incoming(bucket, newId());
  try {
    try {
      await write(handle, formOf(object, sealKey, source));
      await handle.sync();
    } finally {
      await handle.close();
    }
    return await buckets.admit(file, bucket, key);
  } finally {
    await rm(file, { force: true });
  }
}

/** The bytes as they are to lie in the bucket. */
function formOf(
  { maxBytes, sealed = false }: NewObject,
  sealKey: string | null,
  source: ByteSource,
): ByteSource {
  if (sealed) return bounded(startingWith(magic, source), sealedLength(maxBytes));
  const plain = bounded(source, maxBytes);
  return sealKey === null ? plain : sealStream(sealKey, plain);
}

async function* startingWith(start: Buffer, source: ByteSource): AsyncGenerator<Uint8Array> {
  let seen = Buffer.alloc(0);
  for await (const chunk of source) {
    if (seen.length < start.length) {
      seen = Buffer.concat([seen, chunk]).subarray(0, start.length);
      if (!start.subarray(0, seen.length).equals(seen)) break;
    }
    yield chunk;
  }
  if (!seen.equals(start)) throw new ProviderError('invalid', 'the object is not sealed');
}

/** Bytes that are gathered before they are written. */
const batchBytes = 512 * 1024;

async function write(handle: FileHandle, source: ByteSource): Promise<void> {
  let batch: Uint8Array[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    const { bytesWritten } = await handle.writev(batch).catch((error: unknown) => {
      throw failureOf(error);
    });
    if (bytesWritten < length) throw new ProviderError('quota', 'no space is left');
    [batch, length] = [[], 0];
  };
  for await (const chunk of source) {
    batch.push(chunk);
    length += chunk.length;
    if (length >= batchBytes) await flush();
  }
  if (length > 0) await flush();
}
