import { once } from 'node:events';
import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';

export interface Credentials {
  /** PEM of the CA of the listener. */
  ca: string;
  /** PEM of the own certificate and key, once there are any. */
  cert?: string;
  key?: string;
}

/** The coordinator answers with something else than success. */
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
  /** Relative to the listener, or absolute. */
  url: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Milliseconds without a byte until it counts as lost; default 30,000. */
  silenceMs?: number;
  signal?: AbortSignal;
}

/** HTTPS to the agents listener, with the own certificate, on connections that are kept. */
export class Connection {
  private readonly agent: Agent;

  constructor(
    private readonly base: string,
    credentials: Credentials,
  ) {
    this.agent = new Agent({ ...credentials, keepAlive: true, maxSockets: 4 });
  }

  close(): void {
    this.agent.destroy();
  }

  /** The answer, whose body the caller reads. @throws {StatusError} unless it is 2xx */
  async open({
    method,
    url,
    headers,
    body,
    silenceMs = 30_000,
    signal,
  }: Sent): Promise<IncomingMessage> {
    const options: RequestOptions = {
      method,
      headers,
      agent: this.agent,
      timeout: silenceMs,
      signal,
    };
    const sent = request(new URL(url, this.base), options);
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

  /** JSON there and back; undefined for 204. */
  async call(
    method: 'GET' | 'POST',
    url: string,
    body?: unknown,
    rest: Partial<Sent> = {},
  ): Promise<unknown> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { 'content-type': 'application/json' };
    const answer = await this.open({ method, url, headers, ...sent, ...rest });
    if (answer.statusCode !== 204) return json(answer);
    answer.resume();
    return undefined;
  }
}

const CHUNK = 1 << 16;

/** So that backpressure is felt. */
function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}
