import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem, problems } from '@glacis/http';
import { Loop } from '@glacis/runtime';
import { errors } from 'undici';
import { NotSentError, type Exchange } from './exchange.js';
import { serviceProblems } from './problems.js';
import { ClientGoneError, Replica, type Message, type ReplicaLimits } from './replica.js';

export interface UpstreamOptions {
  /** The service, as problems and health name it. */
  service: string;
  /** `http(s)://host:port` of its replicas; a name may stand for several addresses. */
  urls: readonly string[];
  limits: ReplicaLimits;
  /** What replicas reached over TLS are checked against, in PEM; absent: the roots of Node. */
  roots?: readonly string[];
  /** Milliseconds between two looks at what the names stand for. */
  resolveMs: number;
  onError: (error: unknown) => void;
}

/** How often one request goes out at most. */
const maxSent = 3;

/** Waits for a connection in which one request may look for a replica that takes it. */
const maxWaits = 3;

/** Milliseconds between two looks whether a replica is back. */
const pollMs = 20;

/** Replicas that a question of the door's own goes to. */
const maxAsked = 16;

/** A service behind the door: its replicas, and the choice among them. */
export class Upstream {
  private readonly byAddress = new Map<string, Replica>();
  private readonly resolving: Loop;
  private turn = 0;

  constructor(private readonly options: UpstreamOptions) {
    this.resolving = new Loop({
      name: `addresses of ${options.service}`,
      intervalMs: options.resolveMs,
      run: () => this.resolve(),
      onError: options.onError,
    });
  }

  get service(): string {
    return this.options.service;
  }

  get replicas(): readonly Replica[] {
    return [...this.byAddress.values()];
  }

  /** Resolves after the first look at the addresses, whether it succeeded or not. */
  async start(): Promise<void> {
    await this.resolve();
    this.resolving.start();
  }

  async stop(): Promise<void> {
    await this.resolving.stop();
    await Promise.all(this.replicas.map((replica) => replica.destroy()));
  }

  /**
   * The exchange whose answer has begun, with whichever replica gave it. A request is sent again, elsewhere if there is
   * an elsewhere, when nothing of it went out; or when it may be repeated (RFC 9110 9.2.2, or by its `Idempotency-Key`),
   * its body is at hand, and its connection was cut before an answer, as when a replica stops just when the request
   * reaches it.
   * @throws {Problem} 502, 503 or 504 with the name of the service; what its body threw
   */
  async send(message: Message): Promise<Exchange> {
    const until = performance.now() + maxWaits * this.options.limits.connectTimeout;
    let last: Replica | undefined;
    let failure = serviceProblems.unavailable(this.service);
    for (let sent = 0, waits = 0; sent < maxSent && waits < maxWaits;) {
      const replica = await this.free(message.signal, last, until);
      if (replica === undefined) throw failure;
      const exchange = replica.send(message);
      try {
        await exchange.head;
        return exchange;
      } catch (error) {
        failure = this.problemOf(exchange, error);
        if (!mayRepeat(message, exchange, error)) throw failure;
        if (exchange.sent) sent += 1;
        else if (error instanceof NotSentError) waits += 1;
        last = replica;
      }
    }
    throw failure;
  }

  /**
   * The answer of the first replica that gives one of status 200 to a question of the door's own. All are asked at once,
   * up to a bound, those that were reached last before the others.
   * @throws {Error} with one of the failures
   */
  async ask(path: string, timeoutMs: number): Promise<string> {
    const asked = this.replicas
      .toSorted((a, b) => Number(a.breaker.isOpen) - Number(b.breaker.isOpen))
      .slice(0, maxAsked);
    const answered = new AbortController();
    const signal = AbortSignal.any([answered.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      return await Promise.any(asked.map((replica) => replica.ask(path, signal)));
    } catch (error) {
      throw (error as AggregateError).errors[0] ?? new Error('no address is known');
    } finally {
      answered.abort();
    }
  }

  /** A replica that takes a request; while all are gone for no longer than a restart lasts, the first that is back. */
  private async free(
    signal: AbortSignal,
    last: Replica | undefined,
    until: number,
  ): Promise<Replica | undefined> {
    for (;;) {
      const replica = this.choose(last);
      const hope = this.replicas.some((each) => !each.isFull && each.breaker.mayAdmitSoon());
      if (replica !== undefined || !hope || performance.now() >= until) return replica;
      await sleep(pollMs, undefined, { signal });
    }
  }

  /** The least busy of those that take requests; the one that failed last only where there is no other. */
  private choose(last: Replica | undefined): Replica | undefined {
    this.turn += 1;
    const { replicas } = this;
    let best: Replica | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[(this.turn + i) % replicas.length] as Replica;
      if (replica.isFull || replica.isLeaving || !replica.breaker.admits()) continue;
      const cost = replica === last ? Number.MAX_SAFE_INTEGER : replica.active;
      if (cost < least) [best, least] = [replica, cost];
    }
    return best;
  }

  private problemOf(exchange: Exchange, error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (!exchange.sent) return serviceProblems.unavailable(this.service, error);
    if (error instanceof errors.RequestContentLengthMismatchError) {
      return problems.malformed('the body is not as long as its Content-Length');
    }
    const late = error instanceof errors.HeadersTimeoutError;
    return serviceProblems[late ? 'timeout' : 'failed'](this.service, error);
  }

  /** Each name for itself: one that cannot be looked up keeps its addresses and takes nothing from the others. */
  private async resolve(): Promise<void> {
    await Promise.all(
      this.options.urls.map((url) => this.resolveOne(url).catch(this.options.onError)),
    );
  }

  /** New addresses are used from now on, those that are gone until their requests have ended. */
  private async resolveOne(url: string): Promise<void> {
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
    const found = await lookup(host, { all: true });
    const wanted = new Map(found.map(({ address }) => [`${url} ${address}`, address]));
    for (const [key, replica] of this.byAddress) {
      if (replica.origin !== url || wanted.has(key)) continue;
      this.byAddress.delete(key);
      replica.close().catch(this.options.onError);
    }
    for (const [key, address] of wanted) {
      if (this.byAddress.has(key)) continue;
      this.byAddress.set(key, new Replica({ origin: url, address, ...this.options }));
    }
  }
}

const repeatable = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

function mayRepeat(message: Message, exchange: Exchange, error: unknown): boolean {
  if (error instanceof Problem || error instanceof ClientGoneError) return false;
  if (!exchange.sent) return true;
  const isAtHand = message.body === null || Buffer.isBuffer(message.body);
  return (repeatable.has(message.method) || message.hasKey) && isAtHand && isCut(error);
}

/** The connection ended before the answer, as when a replica stops just when a request reaches it. */
function isCut(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return error instanceof errors.SocketError || code === 'ECONNRESET' || code === 'EPIPE';
}
