import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { malformed } from '../http/problem.js';
import type { Answer } from '../http/routes.js';
import type { Flow } from './flow-root.js';
import { gather, listing, type Entry } from './listing.js';
import { toldOf, type Place } from './place.js';
import { segmentsOf } from './request-path.js';

/** `GET /directory`: what a directory of the flow holds. @param most entries at most */
export async function directory(flow: Flow, path: string, most: number): Promise<Answer> {
  const place = await flow.place(path, 'Directory not found');
  try {
    if (place.type !== 'directory') throw malformed('Not a directory');
    const found = await gather(entriesOf(place), most);
    const body = listing({ path: segmentsOf(path) }, await resolved(flow, place, found));
    return { headers: { 'content-type': 'application/json' }, body };
  } catch (error) {
    throw toldOf(error, 'Directory not found');
  } finally {
    await place.close();
  }
}

interface Found {
  name: Buffer;
  /** Undefined: a symbolic link, or what the file system does not say. */
  type?: Entry['type'];
}

/** Sockets, FIFOs and devices are neither files nor directories, and left out. */
async function* entriesOf(place: Place): AsyncGenerator<Found> {
  // Node takes `buffer` here as it does in `readdir`; its types do not know.
  const encoding = 'buffer' as BufferEncoding;
  for await (const entry of await opendir(place.path, { encoding, bufferSize: 1024 })) {
    const name = entry.name as unknown as Buffer;
    if (entry.isSymbolicLink()) yield { name };
    else if (typeOf(entry)) yield { name, type: typeOf(entry) };
  }
}

function typeOf(entry: Dirent): Entry['type'] | undefined {
  if (entry.isDirectory()) return 'directory';
  return entry.isFile() ? 'file' : undefined;
}

/** Symbolic links are shown as what they lead to. Links at once, so that open places stay few. */
const linksAtOnce = 32;

async function resolved(flow: Flow, place: Place, found: Found[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let at = 0; at < found.length; at += linksAtOnce) {
    const some = await Promise.all(
      found.slice(at, at + linksAtOnce).map(async ({ name, type }) => {
        const path = Buffer.concat([Buffer.from(`${place.path}/`), name]);
        return { name, type: type ?? (await flow.typeOf(path)) };
      }),
    );
    entries.push(...some.filter((entry): entry is Entry => entry.type !== undefined));
  }
  return entries;
}
