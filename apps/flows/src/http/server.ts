import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger, Metrics } from '@glacis/observability';
import { Problem } from './problem.js';
import { json, matchRoute, type Answer, type Route } from './routes.js';

export interface HttpOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  routes: Route[];
  /** Rejects with the reason while requests cannot be served. */
  ready: () => Promise<unknown>;
  logger: Logger;
  metrics: Metrics;
}

export interface HttpServer {
  port: number;
  /** Takes no more requests; resolves when those under way are answered, or cut off after 5 s. */
  close(): Promise<void>;
}

/** A request has 10 s to arrive; a connection on which nothing moves for a minute is closed. */
const limits = { requestMs: 10_000, idleMs: 60_000, closeMs: 5000, connections: 256 };

/** GET and HEAD on routes, with health and metrics beside them. Resolves when it listens. */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const { metrics, logger } = options;
  const routes = [...options.routes, ...ownRoutes(options)];
  const seconds = metrics.histogram({
    name: 'glacis_flows_request_seconds',
    help: 'Time until a request is answered in full, by route and status.',
    labels: ['route', 'status'],
  });
  const server = createServer((request, response) => {
    const started = performance.now();
    void answer(routes, request, logger)
      .then(({ route, reply }) => {
        response.once('close', () => {
          const labels = { route, status: String(response.statusCode) };
          seconds.observe(labels, (performance.now() - started) / 1000);
        });
        return send(response, reply, request.method === 'HEAD');
      })
      // The headers are out: the caller is told by a body that breaks off.
      .catch((err: unknown) => logger.info({ err, url: request.url }, 'an answer broke off'));
  });
  server.requestTimeout = limits.requestMs;
  server.timeout = limits.idleMs;
  // Callers that keep a connection must not meet one that is just being closed.
  server.keepAliveTimeout = limits.idleMs;
  server.maxConnections = limits.connections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { port, close: () => close(server) };
}

function ownRoutes({ metrics, ready }: HttpOptions): Route[] {
  return [
    { path: '/health/live', handle: () => json({ status: 'ok' }) },
    {
      path: '/health/ready',
      handle: async () => {
        await ready().catch((error: Error) => {
          throw new Problem('unavailable', error.message);
        });
        return json({ status: 'ok' });
      },
    },
    {
      path: '/metrics',
      handle: async () => ({
        headers: { 'content-type': metrics.registry.contentType },
        body: await metrics.text(),
      }),
    },
  ];
}

interface Reply {
  route: string;
  reply: Answer;
}

async function answer(routes: Route[], request: IncomingMessage, logger: Logger): Promise<Reply> {
  const { url: target = '/', method, headers } = request;
  const [path = '/', ...rest] = target.split('?');
  const match = matchRoute(routes, path);
  const route = match?.route.path ?? 'none';
  try {
    if (!match) throw new Problem('not-found', 'No such path');
    if (method !== 'GET' && method !== 'HEAD') {
      throw new Problem('method-not-allowed', 'Only GET and HEAD', { allow: 'GET, HEAD' });
    }
    const query = new URLSearchParams(rest.join('?'));
    return { route, reply: await match.route.handle({ params: match.params, query, headers }) };
  } catch (error) {
    return { route, reply: told(error, path, logger) };
  }
}

function told(error: unknown, instance: string, logger: Logger): Answer {
  if (!(error instanceof Problem)) logger.error({ err: error, instance }, 'request failed');
  const problem = error instanceof Problem ? error : new Problem('internal', 'internal error');
  const headers = { ...problem.headers, 'content-type': 'application/problem+json' };
  return { status: problem.status, headers, body: problem.toJson(instance) };
}

async function send(response: ServerResponse, reply: Answer, head: boolean): Promise<void> {
  const { status = 200, headers, body } = reply;
  const length = typeof body === 'string' && { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length, 'x-content-type-options': 'nosniff' });
  if (body instanceof Readable && !head) return pipeline(body, response);
  if (body instanceof Readable) body.destroy();
  response.end(head ? undefined : body);
}

async function close(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), limits.closeMs);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(cut);
}
