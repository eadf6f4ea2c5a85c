import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { malformed, notFound, Problem } from '../http/problem.js';
import type { Answer, Asked } from '../http/routes.js';
import { contentHeaders } from './content-type.js';
import type { Flow } from './flow-root.js';
import { toldOf, type Place } from './place.js';
import { rangeOf, type Range } from './range.js';
import { segmentsOf } from './request-path.js';

/** `GET /file`: the bytes of a file, or a range of them. */
export async function file(flow: Flow, path: string, asked: Asked): Promise<Answer> {
  const place = await flow.place(path, 'File not found');
  try {
    if (place.type === 'directory') throw malformed('Is a directory');
    if (place.type === 'other') throw notFound('File not found');
    return await bytesOf(place, segmentsOf(path).at(-1) ?? '', asked);
  } catch (error) {
    throw toldOf(error, 'File not found');
  } finally {
    await place.close();
  }
}

async function bytesOf(place: Place, name: string, { headers }: Asked): Promise<Answer> {
  const size = Number(place.stats.size);
  const etag = `"${place.stats.mtimeNs.toString(16)}-${size.toString(16)}"`;
  const current = headers['if-range'] === undefined || headers['if-range'] === etag;
  const range = current ? rangeOf(headers.range, size) : undefined;
  if (range === 'none') {
    const told = { 'content-range': `bytes */${size}` };
    throw new Problem('range-not-satisfiable', `The file has ${size} bytes`, told);
  }
  const part = range ?? { start: 0, end: size - 1 };
  return {
    status: range ? 206 : 200,
    headers: {
      ...contentHeaders(name),
      'content-length': String(part.end - part.start + 1),
      ...(range && { 'content-range': `bytes ${part.start}-${part.end}/${size}` }),
      'accept-ranges': 'bytes',
      'last-modified': new Date(Number(place.stats.mtimeMs)).toUTCString(),
      etag,
    },
    body: streamOf(await place.read(), part),
  };
}

const pieceLength = 256 * 1024;

/** Fails where the file has become shorter, so that the answer breaks off instead of waiting for the rest. */
function streamOf(handle: FileHandle, { start, end }: Range): Readable {
  let at = start;
  const next = async (): Promise<Buffer | null> => {
    if (at > end) return null;
    const length = Math.min(pieceLength, end - at + 1);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) throw new Error('the file has become shorter');
    at += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  return new Readable({
    highWaterMark: pieceLength,
    read() {
      next().then(
        (piece) => this.push(piece),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      handle.close().then(() => done(error), done);
    },
  });
}
