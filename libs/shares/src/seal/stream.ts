import type { Bytes } from '../crypto/bytes.js';

/** Bytes as they come: a file, the body of a request, another transform. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
export type Transform = (source: ByteSource) => AsyncGenerator<Bytes, void, undefined>;

/** The same bytes in blocks of one size; the last one is shorter, and empty where there are no bytes at all. */
export async function* blocksOf(source: ByteSource, size: number): AsyncGenerator<Bytes> {
  let block = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      if (filled === size) {
        yield block;
        block = new Uint8Array(size);
        filled = 0;
      }
      const part = chunk.subarray(at, at + size - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
    }
  }
  yield block.subarray(0, filled);
}

/** Takes a stream apart piece by piece. */
export class ByteReader {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.chunks = (async function* () {
      yield* source;
    })();
  }

  /** @returns as many bytes as are there, `length` at most. */
  async take(length: number): Promise<Bytes> {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length && (await this.more())) {
      const part = this.rest.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.rest = this.rest.subarray(part.length);
    }
    return taken.subarray(0, filled);
  }

  /** Whether a byte is left. */
  async more(): Promise<boolean> {
    while (this.rest.length === 0) {
      const next = await this.chunks.next();
      if (next.done) return false;
      this.rest = next.value;
    }
    return true;
  }

  /** Lets the source go. */
  async close(): Promise<void> {
    await this.chunks.return?.();
  }
}
