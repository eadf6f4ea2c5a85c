import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps, Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import { Tracing, type Logger, type Metrics } from '@glacis/observability';
import { Loop, systemClock, type Clock } from '@glacis/runtime';
import type { Hook } from './hook.js';
import { ReviewEndpoint } from './review-endpoint.js';
import {
  expiryOf,
  type CredentialsSource,
  type ServingCredentials,
} from './serving-credentials.js';
import { Turnover } from './turnover.js';
import { webhookMetrics, type WebhookMetrics } from './webhook-metrics.js';

export interface WebhookServerOptions {
  /** Default `0.0.0.0`. */
  host?: string;
  /** 0 takes a free one. */
  port: number;
  /** By path: `{ '/validate': validating(…) }`. */
  hooks: Readonly<Record<string, Hook>>;
  /** Absent: plain HTTP, for behind a TLS front. API servers themselves call https only. */
  certificate?: CredentialsSource;
  /**
   * Whether API servers trust these roots: the server is not ready before they trust its first certificate, and one
   * that follows waits for it. Default: they do.
   */
  trusted?: (ca: string | Buffer) => boolean;
  /** Bytes of a review at most; a conversion holds a whole page of a list. Default 16 MiB. */
  maxBodyBytes?: number;
  /** Bytes of all reviews under way. Default 64 MiB. */
  maxPendingBytes?: number;
  /** Connections at once; further ones are closed at accept. Default 512. */
  maxConnections?: number;
  /** Milliseconds for which `stop` still takes reviews, until Services have heard that this replica goes. Default 3,000. */
  drainMs?: number;
  /** Gets a span for each review. Default: none is recorded. */
  tracing?: Pick<Tracing, 'start'>;
  logger: Logger;
  metrics: Metrics;
  clock?: Clock;
}

/** Milliseconds between two looks at the certificate. */
const reloadMs = 1_000;
/** Milliseconds that reviews under way have to end when nothing new is taken any more. */
const graceMs = 5_000;

const limits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  // An API server ends idle connections after 90 s. If this end did so first, a review that is just being sent would fail.
  keepAliveTimeout: 120_000,
};

/**
 * Answers the reviews of API servers: admission and conversion, and `GET /healthz`. TLS 1.2 and 1.3; certificates are
 * replaced without an end of any connection.
 */
export class WebhookServer {
  private readonly clock: Clock;
  private readonly trusted: (ca: string | Buffer) => boolean;
  private readonly endpoint: ReviewEndpoint;
  private readonly metrics: WebhookMetrics;
  private readonly server: ReturnType<typeof createHttp>;
  private readonly turnover: Turnover | undefined;
  private readonly reload: Loop;
  private served: ServingCredentials | undefined;
  private hasTrust = false;
  private stopping = false;

  constructor(private readonly options: WebhookServerOptions) {
    const { certificate, hooks, logger } = options;
    this.trusted = options.trusted ?? (() => true);
    this.clock = options.clock ?? systemClock;
    this.metrics = webhookMetrics(options.metrics);
    this.endpoint = new ReviewEndpoint({
      hooks,
      maxBodyBytes: options.maxBodyBytes ?? 16 << 20,
      maxPendingBytes: options.maxPendingBytes ?? 64 << 20,
      tracing: options.tracing ?? new Tracing({ service: 'webhook' }),
      logger,
      metrics: this.metrics,
    });
    this.turnover = certificate && new Turnover(certificate, this.trusted);
    const serve = (request: IncomingMessage, response: ServerResponse): void =>
      void this.serve(request, response);
    this.server = certificate
      ? createHttps({ ...limits, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 }, serve)
      : createHttp(limits, serve);
    this.server.maxConnections = options.maxConnections ?? 512;
    this.server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.reload = new Loop({
      name: 'webhook certificate',
      intervalMs: reloadMs,
      run: async () => this.renew(),
      onError: (err) => logger.warn({ err }, 'the certificate of the webhooks cannot be taken'),
    });
  }

  /** Where it listens. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** @throws {Error} when there is no certificate yet, or the port is taken */
  async start(): Promise<void> {
    const { host = '0.0.0.0', port } = this.options;
    this.renew();
    this.server.listen({ host, port });
    await once(this.server, 'listening');
    if (this.turnover) this.reload.start();
  }

  /** Counts as not ready at once, ends connections with their next answer, and takes nothing new after `drainMs`. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.reload.stop();
    if (!this.server.listening) return;
    await sleep(this.options.drainMs ?? 3_000);
    const closed = once(this.server, 'close');
    this.server.close();
    const timer = setTimeout(() => this.server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  /**
   * For `Health`.
   * @throws {Error} while it does not listen or is about to stop, before API servers have come to trust its certificate,
   *   and when that has expired
   */
  check(): void {
    if (!this.server.listening || this.stopping) throw new Error('it takes no reviews');
    if (this.served && expiryOf(this.served) <= this.clock.now().getTime()) {
      throw new Error('its certificate has expired');
    }
    this.hasTrust ||= this.served === undefined || this.trusted(this.served.ca);
    if (!this.hasTrust) throw new Error('API servers do not trust its certificate yet');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    if (this.stopping) response.setHeader('connection', 'close');
    response.once('finish', () => this.stopping && request.socket.end());
    const [path = ''] = (request.url ?? '').split('?');
    if (request.method === 'GET' && path === '/healthz') response.end();
    else if (!this.endpoint.has(path)) response.writeHead(404).end();
    else if (request.method !== 'POST') response.writeHead(405, { allow: 'POST' }).end();
    else await this.endpoint.answer(path, request, response);
  }

  /** Connections that there are go on with the certificate that they began with. */
  private renew(): void {
    const next = this.turnover?.next(this.clock.now().getTime());
    if (!next || !(this.server instanceof HttpsServer)) return;
    this.server.setSecureContext(contextOf(next));
    this.turnover?.taken(next);
    this.served = next;
    this.metrics.serves(expiryOf(next));
  }
}

function contextOf({ key, cert }: ServingCredentials): SecureContextOptions {
  return { key, cert, minVersion: 'TLSv1.2' };
}
