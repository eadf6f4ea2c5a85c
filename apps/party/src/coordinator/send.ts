import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type Agent, type RequestOptions } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** The answer is something else than success. */
export class StatusError extends Error {
  override readonly name = 'StatusError';

  constructor(
    readonly status: number,
    path: string,
  ) {
    super(`${path} answers ${status}`);
  }

  /** It may be otherwise in a while. */
  get transient(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

export interface Sent {
  method: 'GET' | 'POST' | 'PUT';
  /** Absolute. */
  url: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Milliseconds without a byte until it counts as lost; default 30,000. */
  silenceMs?: number;
  signal?: AbortSignal;
}

/**
 * The answer to one request, whose body the caller reads; nobody is followed elsewhere.
 * @param agent default one of its own, which trusts whom the system trusts
 * @throws {StatusError} unless it is 2xx
 */
export async function send(
  { method, url, headers, body, silenceMs = 30_000, signal }: Sent,
  agent?: Agent,
): Promise<IncomingMessage> {
  const options: RequestOptions = { method, headers, agent, timeout: silenceMs, signal };
  const request = url.startsWith('http:') ? httpRequest : httpsRequest;
  const sent = request(new URL(url), options);
  sent.on('timeout', () =>
    sent.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
  );
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  if (body === undefined) sent.end();
  else if (typeof body === 'string') sent.end(body);
  else await Promise.all([pipeline(Readable.from(chunksOf(body)), sent), answered]);
  const [answer] = await answered;
  const { statusCode: status = 0 } = answer;
  if (status >= 200 && status < 300) return answer;
  answer.resume();
  throw new StatusError(status, url);
}

const CHUNK = 1 << 16;

/** So that backpressure is felt. */
function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}
