import { constants } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { AcceptLimit } from './accept-limit.js';
import type { TlsCredentials } from './mutual-tls.js';

export interface MutualHttpsOptions {
  /** Read now and at each `renewCredentials`. */
  credentials: () => TlsCredentials;
  /** Handshakes per source address; above it the socket is closed at accept. Default 100 in 10 s. */
  handshakeLimit?: { count: number; windowMs: number };
  /** Milliseconds for a handshake, and for the headers of a request. Default 10,000. */
  headersTimeoutMs?: number;
  /** Milliseconds for a whole request. Default 30,000. */
  requestTimeoutMs?: number;
  /** Connections at once; further ones are closed at accept. Default 1,000. */
  maxConnections?: number;
}

/**
 * An HTTPS server, TLS 1.3, that asks for a client certificate without demanding one, so that a refusal is an answer:
 * whoever serves a request judges `socket.authorized` and the certificate. No session is ever resumed, as a resumed
 * handshake checks neither chain nor dates (`backends.md` 4.1).
 */
export function createMutualHttps(options: MutualHttpsOptions, handler: RequestListener): Server {
  const limit = new AcceptLimit(options.handshakeLimit ?? { count: 100, windowMs: 10_000 });
  const server = createServer(serverOptions(options), handler);
  server.maxConnections = options.maxConnections ?? 1_000;
  server.prependListener('connection', (socket: Socket) => {
    if (!limit.accept(socket.remoteAddress ?? '')) socket.destroy();
  });
  server.prependListener('secureConnection', (socket) => {
    if (socket.isSessionReused()) socket.destroy();
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** Takes new credentials for the handshakes to come; live connections go on. */
export function renewCredentials(server: Server, credentials: TlsCredentials): void {
  server.setSecureContext(secureContext(credentials));
}

function serverOptions(options: MutualHttpsOptions): ServerOptions {
  const { headersTimeoutMs = 10_000, requestTimeoutMs = 30_000 } = options;
  return {
    ...secureContext(options.credentials()),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: headersTimeoutMs,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 5_000,
  };
}

function secureContext(credentials: TlsCredentials): SecureContextOptions {
  return {
    ...credentials,
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
