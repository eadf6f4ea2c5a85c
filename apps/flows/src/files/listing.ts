import { Readable } from 'node:stream';
import { malformed } from '../http/problem.js';

export interface Entry {
  /** As it is on the disk, which need not be UTF-8. */
  name: Buffer;
  type: 'file' | 'directory';
}

/** Bytes of JSON that are sent at once. */
const pieceLength = 64 * 1024;

export const byName = (a: { name: Buffer }, b: { name: Buffer }): number =>
  Buffer.compare(a.name, b.name);

/** Gathers what a directory holds, sorted by name. @throws {Problem} 400 above the bound */
export async function gather<T extends { name: Buffer }>(
  entries: AsyncIterable<T>,
  most: number,
): Promise<T[]> {
  const found: T[] = [];
  for await (const entry of entries) {
    if (found.length === most) throw malformed(`Directory has over ${most} entries`);
    found.push(entry);
  }
  return found.toSorted(byName);
}

/**
 * The JSON of a listing in pieces. A name that is not UTF-8 is shown with U+FFFD for what cannot be read.
 * @param head members before `contents`
 */
export function listing(
  head: { path: string[]; branch?: string },
  entries: AsyncIterable<Entry> | Iterable<Entry>,
): Readable {
  async function* pieces(): AsyncGenerator<string> {
    let piece = `${JSON.stringify(head).slice(0, -1)},"contents":[`;
    let separator = '';
    for await (const { name, type } of entries) {
      piece += separator + JSON.stringify({ path: head.path, name: name.toString(), type });
      separator = ',';
      if (piece.length < pieceLength) continue;
      yield piece;
      piece = '';
    }
    yield `${piece}]}\n`;
  }
  return Readable.from(pieces(), { objectMode: false });
}
