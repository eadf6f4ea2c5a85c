import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.js';

/** What is answered to GET on a path. */
export interface HealthAnswer {
  status: number;
  body: string;
  /** Default `text/plain`. */
  type?: string;
}

export interface HealthServerOptions {
  /** Default: every address of the machine, since probes come from outside. */
  host?: string;
  /** 0 takes a free one. */
  port: number;
  /** By path, as `/livez`. */
  answers: Record<string, () => HealthAnswer | Promise<HealthAnswer>>;
  /** Served as `/metrics`. */
  metrics: Metrics;
}

export interface HealthServer {
  /** The one that it listens on. */
  port: number;
  close(): void;
}

/**
 * A small HTTP server for programs whose only HTTP are health and metrics. GET and HEAD; requests have 10 s, and there
 * are 100 connections at most. Resolves when it listens.
 */
export async function serveHealth(options: HealthServerOptions): Promise<HealthServer> {
  const { metrics } = options;
  const answers: HealthServerOptions['answers'] = {
    ...options.answers,
    '/metrics': async () => ({
      status: 200,
      body: await metrics.text(),
      type: metrics.registry.contentType,
    }),
  };
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const asked = request.method === 'GET' || request.method === 'HEAD';
    const answer = asked ? answers[path] : (): HealthAnswer => methodNotAllowed;
    void Promise.resolve()
      .then(answer ?? ((): HealthAnswer => notFound))
      .catch(() => internalError)
      .then((found) => reply(response, found));
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 100;
  await listening(server, options);
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port, close };
}

const notFound: HealthAnswer = { status: 404, body: 'not found' };
const methodNotAllowed: HealthAnswer = { status: 405, body: 'method not allowed' };
const internalError: HealthAnswer = { status: 500, body: 'internal error' };

function listening(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

function reply(response: ServerResponse, answer: HealthAnswer): void {
  const { status, body, type = 'text/plain' } = answer;
  const text = body.endsWith('\n') ? body : `${body}\n`;
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
