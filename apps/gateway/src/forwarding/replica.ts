import { isIPv6, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Problem } from '@glacis/http';
import { errors, Pool } from 'undici';
import { Breaker } from './breaker.js';
import { Exchange, NotSentError, type Head } from './exchange.js';
import type { RawHeaders } from './headers.js';
import type { RequestBody } from './request-body.js';

/** A request as a replica gets it. */
export interface Message {
  method: string;
  path: string;
  headers: string[];
  body: RequestBody | null;
  /** Aborted, with a {@link ClientGoneError}, when nobody waits for the answer any more. */
  signal: AbortSignal;
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

/** Milliseconds for which `Connection: close` in an answer tells something of the replica. */
const leavingMs = 1_000;

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
  private leavingUntil = Number.NEGATIVE_INFINITY;
  private readonly pool: Pool;

  /**
   * @param origin as the operator named the service; its host is what TLS checks and `Host` says
   * @param address the IP address to connect to
   */
  constructor(
    readonly origin: string,
    readonly address: string,
    private readonly limits: ReplicaLimits,
  ) {
    const { connections, connectTimeout: timeout } = limits;
    const lookup = fixedLookup(address);
    this.pool = new Pool(origin, { connections, connect: { timeout, lookup } });
  }

  /** True when all connections and all places in the queue are taken. */
  get isFull(): boolean {
    return this.active >= this.limits.connections + this.limits.queue;
  }

  /** True while it lets its connections go, as a server does before it stops: the next ones would be cut. */
  get isLeaving(): boolean {
    return performance.now() < this.leavingUntil;
  }

  send(message: Message): Exchange {
    const { method, path, headers, signal } = message;
    const { connectTimeout, replyTimeout: headersTimeout, idleTimeout: bodyTimeout } = this.limits;
    this.active += 1;
    this.breaker.sending();
    const exchange = new Exchange(
      {
        onInformation: message.onInformation,
        onHead: (head) => this.answered(head),
        onEnd: (failure) => this.ended(failure, exchange.sent),
      },
      connectTimeout,
    );
    signal.addEventListener('abort', () => exchange.cancel(signal.reason as Error), { once: true });
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

  private answered({ status, headers }: Head): void {
    this.breaker.succeeded();
    // Beside a refusal it only tells that the rest of a body stays unread.
    if (status < 400 && saysClose(headers)) this.leavingUntil = performance.now() + leavingMs;
  }

  private ended(failure: Error | undefined, sent: boolean): void {
    this.active -= 1;
    if (failure === undefined) return;
    if (isOurs(failure)) this.breaker.undecided();
    else this.breaker.failed(!sent);
  }
}

function saysClose(headers: RawHeaders): boolean {
  return headers.some(
    (value, i) =>
      i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'connection' && value === 'close',
  );
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
