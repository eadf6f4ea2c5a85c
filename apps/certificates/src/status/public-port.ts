import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { CertificatesSettings } from '../settings.js';

/** Requests that a client of the public port may send: status and CA certificates, each a public route of ours. */
const readable =
  /^\/certs\/(?:ocsp\/.+|crl(?:\/[0-9a-f]{32}\/[a-z0-9]+\.crl)?|ca(?:\/[0-9a-f]{32}\.crt)?)$/s;

export function isPublic(method = '', url = ''): boolean {
  const [path = ''] = url.split('?', 1);
  if (method === 'POST') return path === '/certs/ocsp';
  return (method === 'GET' || method === 'HEAD') && readable.test(path);
}

const maxConnections = 4_096;
const requestMs = 10_000;
/** How long a client may take no byte of its answer; a large CRL may also take its time to be made. */
const silentMs = 60_000;
/** What requests under way have at the end of the process. */
const drainMs = 3_000;

/**
 * OCSP, CRLs and CA certificates over plain http on a port of their own (`certificates.md` 11), so that the status URL
 * can be open to everybody while REST is not. The same routes with the same limits; nothing else is there.
 */
export class PublicPort implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly settings: CertificatesSettings,
    private readonly host: HttpAdapterHost,
  ) {}

  /** The port listened on; undefined where none is wanted. */
  get port(): number | undefined {
    return (this.server?.address() as AddressInfo | null | undefined)?.port;
  }

  async onApplicationBootstrap(): Promise<void> {
    const { statusHost, statusPort } = this.settings;
    if (statusPort === undefined) return;
    const routes = this.host.httpAdapter.getInstance<FastifyInstance>();
    await routes.ready();
    const options = {
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 1_000,
    };
    this.server = createServer(options, (request, reply) => dispatch(routes, request, reply));
    this.server.maxConnections = maxConnections;
    this.server.setTimeout(silentMs);
    this.server.listen(statusPort, statusHost);
    await once(this.server, 'listening');
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    const cut = setTimeout(() => server.closeAllConnections(), drainMs);
    await closed;
    clearTimeout(cut);
  }
}

function dispatch(routes: FastifyInstance, request: IncomingMessage, reply: ServerResponse): void {
  if (isPublic(request.method, request.url)) routes.routing(request, reply);
  else reply.writeHead(404, { connection: 'close' }).end();
}
