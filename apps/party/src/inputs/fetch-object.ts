import { createHash } from 'node:crypto';
import { SealError, unseal, type ByteSource } from '@glacis/shares';
import type { Coordinator } from '../coordinator/coordinator.js';
import { mayPass, untilAnswered } from '../coordinator/retry.js';

export interface Fetched {
  /** The share file, unsealed. */
  bytes: Uint8Array;
  /** Its length, also where that is more than was pinned. */
  length: number;
  /** Its digest. */
  sha256: string;
  /** Bytes as they came, sealed or not. */
  stored: number;
}

/** Where an object is, and how long it was when it was pinned. */
export interface Stored {
  url: string;
  bytes: number;
}

const passes = (error: unknown): boolean => !(error instanceof SealError) && mayPass(error);

const magic = Buffer.from('GSEAL1');

/**
 * Reads an object whole, from its first byte again after a failure (jobs.md 10.2), and opens it if it is sealed.
 * @param privateKey of the bucket
 * @throws {SealError} when it is sealed to another key, or changed
 */
export async function fetchObject(
  coordinator: Coordinator,
  object: Stored,
  privateKey: string,
): Promise<Fetched> {
  const read = async (): Promise<Fetched> =>
    readWhole(await coordinator.object(object.url), object, privateKey);
  return untilAnswered(read, { ...coordinator.trying, passes });
}

async function readWhole(
  source: AsyncIterable<Buffer>,
  { bytes: most }: Stored,
  privateKey: string,
): Promise<Fetched> {
  let stored = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      stored += chunk.length;
      yield chunk;
    }
  }
  const hash = createHash('sha256');
  const bytes = Buffer.allocUnsafe(most);
  let length = 0;
  for await (const part of opened(counted(), privateKey)) {
    hash.update(part);
    // Whatever comes beyond what was pinned is counted, and not kept.
    if (length < most) bytes.set(part.subarray(0, most - length), length);
    length += part.length;
  }
  const sha256 = `sha256:${hash.digest('hex')}`;
  return { bytes: bytes.subarray(0, length), length, sha256, stored };
}

/** What begins as sealed objects do is unsealed; share files begin otherwise. */
async function* opened(
  source: AsyncGenerator<Uint8Array>,
  privateKey: string,
): AsyncGenerator<Uint8Array> {
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < magic.length) {
    const { value, done } = await source.next();
    if (done) break;
    first.push(value);
    length += value.length;
  }
  const head = Buffer.concat(first);
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield head;
    yield* source;
  }
  const all: ByteSource = whole();
  if (head.subarray(0, magic.length).equals(magic)) yield* unseal(privateKey)(all);
  else yield* all;
}
