import { once } from 'node:events';
import { request as plain, type IncomingMessage } from 'node:http';
import { request as secure } from 'node:https';
import { Readable } from 'node:stream';
import type { Body } from '@glacis/shares';
import type { Context } from '../context.js';
import { ProgressBar } from './progress.js';

const SLICE_BYTES = 65_536;
/** Silence after which an upload is given up. */
const SILENCE_MS = 60_000;

/**
 * PUTs a body with its length, which signed links ask for, and tells how far it is.
 * @returns the status, also of a refusal that comes before the body is out; throws where there is no answer
 */
export async function put(
  { url, headers, bytes }: Body,
  onSent: (bytes: number) => void,
): Promise<number> {
  const open = url.startsWith('https:') ? secure : plain;
  const length = String(bytes.length);
  const outgoing = open(url, { method: 'PUT', headers: { ...headers, 'content-length': length } });
  outgoing.setTimeout(SILENCE_MS, () => outgoing.destroy(new Error('the upload has stalled')));
  const source = Readable.from(slices(bytes, onSent));
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  // What breaks once there is an answer is of no matter.
  outgoing.on('error', () => undefined);
  source.pipe(outgoing);
  try {
    const [response] = await answered;
    response.resume();
    return response.statusCode ?? 0;
  } finally {
    source.destroy();
  }
}

function* slices(bytes: Uint8Array, onSent: (bytes: number) => void): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    const slice = bytes.subarray(at, at + SLICE_BYTES);
    yield slice;
    onSent(at + slice.length);
  }
}

/** The same with a bar on a terminal. */
export async function send({ screen }: Context, body: Body, party: number): Promise<number> {
  const bar = new ProgressBar(screen, `party ${party}`);
  const total = body.bytes.length;
  try {
    return await put(body, (sent) => bar.show(sent / total, `${sent} of ${total} bytes`));
  } finally {
    bar.end();
  }
}
