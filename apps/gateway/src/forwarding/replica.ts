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
  /** Streamed once, or at hand for as often as it takes. */
  body: RequestBody | Buffer | null;
  /** It names an `Idempotency-Key`, so that the service does it once however often it comes. */
  hasKey: boolean;
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

export interface ReplicaOptions {
  /** As the operator named the service; its host is what TLS checks and `Host` says. */
  origin: string;
  /** The IP address to connect to. */
  address: string;
  limits: ReplicaLimits;
  /** What TLS is checked against, in PEM; absent: the roots of Node. */
  roots?: readonly string[];
}

/** Connections for questions of the door's own, which so never wait behind the requests of its clients. */
const ownConnections = 2;

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
  private readonly ownPool: Pool;
  /** Requests that have a connection, or are given one. */
  private running = 0;
  /** What starts those that wait for one, in their order: undici's own queue lets nobody out. */
  private readonly line = new Set<() => void>();
  readonly origin: string;
  readonly address: string;
  private readonly limits: ReplicaLimits;

  constructor({ origin, address, limits, roots }: ReplicaOptions) {
    [this.origin, this.address, this.limits] = [origin, address, limits];
    const { connections, connectTimeout: timeout } = limits;
    const connect = { timeout, lookup: fixedLookup(address), ...(roots && { ca: [...roots] }) };
    this.pool = new Pool(origin, { connections, connect });
    this.ownPool = new Pool(origin, { connections: ownConnections, connect });
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
    const before = this.breaker.sending();
    let started = false;
    const start = (): void => {
      started = true;
      this.running += 1;
      // Its documentation lists async iterables, its types do not.
      const body = message.body as unknown as Readable | Buffer | null;
      this.pool.dispatch({ method, path, headers, body, headersTimeout, bodyTimeout }, exchange);
    };
    const exchange = new Exchange(
      {
        onInformation: message.onInformation,
        onHead: (head) => this.answered(head),
        withdraw: () => this.line.delete(start),
        onEnd: (failure) => {
          this.ended(failure, { sent: exchange.sent, before });
          if (started) this.next();
        },
      },
      connectTimeout,
    );
    signal.addEventListener('abort', () => exchange.cancel(signal.reason as Error), { once: true });
    if (this.running < this.limits.connections) start();
    else this.line.add(start);
    return exchange;
  }

  /**
   * A question of the door's own: the body of the answer.
   * @throws {Error} for an answer of another status than 200
   */
  async ask(path: string, signal: AbortSignal): Promise<string> {
    const { statusCode, body } = await this.ownPool.request({ method: 'GET', path, signal });
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxAnswer) throw new Error(`${path} answers more than ${maxAnswer} bytes`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    if (statusCode !== 200) throw new Error(`${path} answers ${statusCode}: ${text.slice(0, 300)}`);
    return text;
  }

  /** Ends when the requests under way have ended. */
  async close(): Promise<void> {
    await Promise.all([this.pool.close(), this.ownPool.close()]);
  }

  /** Ends at once. */
  async destroy(): Promise<void> {
    await Promise.all([this.pool.destroy(), this.ownPool.destroy()]);
  }

  private answered({ status, headers }: Head): void {
    this.breaker.succeeded();
    // Beside a refusal it only tells that the rest of a body stays unread.
    if (status < 400 && saysClose(headers)) this.leavingUntil = performance.now() + leavingMs;
  }

  private ended(
    failure: Error | undefined,
    { sent, before }: { sent: boolean; before: number },
  ): void {
    this.active -= 1;
    if (failure === undefined) return;
    if (isOurs(failure)) this.breaker.undecided();
    else if (failure instanceof errors.HeadersTimeoutError) this.breaker.late(before);
    else this.breaker.failed(!sent);
  }

  private next(): void {
    this.running -= 1;
    const [start] = this.line;
    if (start === undefined) return;
    this.line.delete(start);
    start();
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
