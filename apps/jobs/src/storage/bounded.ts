import type { ByteSource } from '@glacis/shares';

/** More bytes came than the object may have. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';
}

/** The bytes, as long as they are not too many. */
export async function* bounded(source: ByteSource, maxBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > maxBytes) throw new TooLongError(`an object has ${maxBytes} bytes at most`);
    yield chunk;
  }
}

/** All of them in one piece, for clients that want to know the length first. */
export async function collected(source: ByteSource, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bounded(source, maxBytes)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
