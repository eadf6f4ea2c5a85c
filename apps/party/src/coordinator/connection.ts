import { Agent } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { send, type Sent } from './send.js';

export interface Credentials {
  /** PEM of the CA of the listener. */
  ca: string;
  /** PEM of the own certificate and key, once there are any. */
  cert?: string;
  key?: string;
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

  /**
   * The answer, whose body the caller reads.
   * @param sent `url` may be relative to the listener
   * @throws {StatusError} unless it is 2xx
   */
  open(sent: Sent): Promise<IncomingMessage> {
    return send({ ...sent, url: new URL(sent.url, this.base).href }, this.agent);
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
