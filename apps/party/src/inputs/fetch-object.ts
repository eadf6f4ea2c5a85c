import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ObjectIdentity } from '@glacis/contracts';
import { SealError, unseal, type ByteSource } from '@glacis/shares';
import type { Coordinator } from '../coordinator/coordinator.js';
import { mayPass, untilAnswered } from '../coordinator/retry.js';
import { send, StatusError } from '../coordinator/send.js';
import { StepFailure } from '../failure.js';
import type { OwnIdentity } from '../identity/own-identity.js';

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
  /** Null: the coordinator passes it on. */
  identity: ObjectIdentity | null;
  bytes: number;
}

/** From whom objects come, and as whom. */
export interface Sources {
  coordinator: Coordinator;
  identity: OwnIdentity;
}

const passes = (error: unknown): boolean =>
  !(error instanceof SealError || error instanceof StepFailure) && mayPass(error);

const magic = Buffer.from('GSEAL1');

/**
 * Reads an object whole, from its first byte again after a failure (jobs.md 10.2), and opens it if it is sealed.
 * @param privateKey of the bucket
 * @throws {SealError} when it is sealed to another key, or changed
 * @throws {StepFailure} when its cloud does not let this party read it
 */
export async function fetchObject(
  sources: Sources,
  object: Stored,
  privateKey: string,
): Promise<Fetched> {
  const read = async (): Promise<Fetched> =>
    readWhole(await opening(sources, object), object, privateKey);
  return untilAnswered(read, { ...sources.coordinator.trying, passes });
}

async function opening(
  { coordinator, identity: own }: Sources,
  { url, identity }: Stored,
): Promise<IncomingMessage> {
  if (identity === null) return coordinator.object(url);
  try {
    const headers = await own.headersFor(new URL(url), identity);
    return await send({ method: 'GET', url, headers });
  } catch (error) {
    if (!(error instanceof StatusError) || error.transient) throw error;
    throw new StepFailure('infra', 'object_denied', 'the cloud does not let this party read');
  }
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
