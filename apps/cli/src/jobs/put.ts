import { once } from 'node:events';
import { request as plain, type IncomingMessage } from 'node:http';
import { request as secure } from 'node:https';
import type { Body } from '@glacis/shares';

const SLICE_BYTES = 65_536;
/** Silence after which an upload is given up. */
const SILENCE_MS = 60_000;

/**
 * PUTs a body with its length, which signed links ask for, and tells how far it is.
 * @returns the status; what the socket threw where there was no answer
 */
export async function put(
  { url, headers, bytes }: Body,
  onSent: (bytes: number) => void,
): Promise<number> {
  const open = url.startsWith('https:') ? secure : plain;
  const length = String(bytes.length);
  const outgoing = open(url, { method: 'PUT', headers: { ...headers, 'content-length': length } });
  outgoing.setTimeout(SILENCE_MS, () => outgoing.destroy(new Error('the upload has stalled')));
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  // A refusal may come before the body is out; the answer counts then.
  await Promise.race([send(), answered]);
  const [response] = await answered;
  response.resume();
  outgoing.on('error', () => undefined);
  return response.statusCode ?? 0;

  async function send(): Promise<void> {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      if (!outgoing.write(slice)) await Promise.race([once(outgoing, 'drain'), answered]);
      if (outgoing.destroyed) return;
      onSent(at + slice.length);
    }
    outgoing.end();
  }
}
