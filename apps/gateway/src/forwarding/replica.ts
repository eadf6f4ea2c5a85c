import { isIPv6, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Problem } from '@glacis/http';
import { errors, Pool } from 'undici';
import { Breaker } from './breaker.js';
import { Exchange, NotSentError, type Head } from './exchange.js';
import type { RequestBody } from './request-body.js';

/** A request as a replica gets it. */
export interface Message {
  method: string;
  path: string;
  headers: string[];
  body: RequestBody | null;
  onInformation: (head: Head) => void;
}

/** Milliseconds and counts, per replica. */
export interface ReplicaLimits {
  connections: number;
  queue: number;
  connectTimeout: number;
  replyTimeout: number;
  idleTimeout: number;
}

/** Bytes of an answer to a question of the door's own at most. */
const maxAnswer = 4 * 1024 ** 2;

/** The client went away before it had its answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

/** One replica of a service: its connections, what is under way on them, and whether it is worth asking. */
export class Replica {
  /** Requests that wait or are under way. */
  active = 0;
  readonly breaker = new Breaker();
  private readonly pool: Pool;

  /**
   * @param origin as the operator named the service; its host is what TLS checks and `Host` says
   * @param address the IP address to connect to
   */
  constructor(
    origin: string,
    readonly address: string,
    private readonly limits: ReplicaLimits,
  ) {
    const { connections, connectTimeout: timeout } = limits;
    const lookup = fixedLookup(address);
    this.pool = new Pool(origin, { connections, connect: { timeout, lookup } });
  }

  get isFree(): boolean {
    const { connections, queue } = this.limits;
    return this.active < connections + queue && this.breaker.admits();
  }

  send(message: Message): Exchange {
    const { method, path, headers } = message;
    const { connectTimeout, replyTimeout: headersTimeout, idleTimeout: bodyTimeout } = this.limits;
    this.active += 1;
    this.breaker.sending();
    const watcher = {
      onInformation: message.onInformation,
      onHead: () => this.breaker.succeeded(),
      onEnd: (failure: Error | undefined) => this.ended(failure),
    };
    const exchange = new Exchange(watcher, connectTimeout);
    // Its documentation lists async iterables, its types do not.
    const body = message.body as unknown as Readable | null;
    this.pool.dispatch({ method, path, headers, body, headersTimeout, bodyTimeout }, exchange);
    return exchange;
  }

  /** A question of the door's own: the body of the answer, whatever its status. */
  async ask(path: string, timeoutMs: number): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(timeoutMs);
    const { statusCode, body } = await this.pool.request({ method: 'GET', path, signal });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxAnswer) throw new Error(`${path} answers more than ${maxAnswer} bytes`);
      chunks.push(chunk);
    }
    return { status: statusCode, text: Buffer.concat(chunks).toString('utf8') };
  }

  /** Ends when the requests under way have ended. */
  close(): Promise<void> {
    return this.pool.close();
  }

  /** Ends at once. */
  destroy(): Promise<void> {
    return this.pool.destroy();
  }

  private ended(failure: Error | undefined): void {
    this.active -= 1;
    if (failure === undefined) return;
    if (isOurs(failure)) this.breaker.undecided();
    else this.breaker.failed();
  }
}

/** A failure that says nothing of the replica. */
function isOurs(failure: Error): boolean {
  const kinds = [
    ClientGoneError,
    NotSentError,
    Problem,
    errors.InvalidArgumentError,
    errors.RequestContentLengthMismatchError,
    errors.ClientDestroyedError,
  ];
  return kinds.some((kind) => failure instanceof kind);
}

function fixedLookup(address: string): LookupFunction {
  const family = isIPv6(address) ? 6 : 4;
  return (_host, options, callback) =>
    options.all ? callback(null, [{ address, family }]) : callback(null, address, family);
}
