import { constants } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import {
  createServer,
  type SecureContextOptions,
  type Server as TlsServer,
  type TLSSocket,
} from 'node:tls';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import { AcceptLimit } from './accept-limit.js';
import { PeerConnection, type CloseCause } from './connection.js';

/** PEM texts. */
export interface TlsCredentials {
  key: string | Buffer;
  /** The server's certificate followed by its intermediates. */
  cert: string | Buffer;
  /** The roots that client certificates must chain to; intermediates among them only help to build the chain. */
  ca: string | Buffer;
}

/** Why a connection was turned away before it could send a byte of HTTP/2. */
export type RefusalReason =
  | 'accept_failed'
  | 'source_limit'
  | 'pending_limit'
  | 'connection_limit'
  | 'handshake'
  | 'resumed'
  | 'not_admitted';

export interface MutualTlsOptions {
  /** Default `127.0.0.1`. */
  host?: string;
  /** 0 takes a free one. */
  port: number;
  /** Gets every admitted connection. Its own keepalive, message and stream limits apply. */
  server: Server;
  /** Read at start and at each `renew()`. */
  credentials: () => TlsCredentials;
  /**
   * `asked`: a client may also come without one, and then `socket.authorized` is false; one that does not verify is
   * turned away all the same. Default `demanded`.
   */
  clientCertificate?: 'demanded' | 'asked';
  /** Default `TLSv1.3`. */
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Handshakes per source address; above it the socket is closed at accept. Default 100 in 10 s. */
  handshakeLimit?: { count: number; windowMs: number };
  /** Milliseconds for a handshake. Default 10,000. */
  handshakeTimeoutMs?: number;
  /** Handshakes under way at once. Default 512. */
  maxPending?: number;
  /** Connections at once, those in their handshake included. Default 10,000. */
  maxConnections?: number;
  /** Milliseconds of silence that mean a dead peer: the server's keepalive period plus half its timeout. Default 35,000. */
  silenceMs?: number;
  /** Decides after the handshake and before any byte of HTTP/2; false or a throw destroys the socket. Default: all pass. */
  admit?: (socket: TLSSocket) => boolean;
  onConnection?: (connection: PeerConnection) => void;
  onClose?: (connection: PeerConnection, cause: CloseCause) => void;
  onRefused?: (reason: RefusalReason, address: string) => void;
}

export interface MutualTlsListener {
  readonly port: number;
  readonly connections: ReadonlyMap<string, PeerConnection>;
  /** The connection that a call came over: `connectionOf(call.getPeer())`. */
  connectionOf(peer: string): PeerConnection | undefined;
  /** Takes new credentials for the handshakes to come; live connections go on. */
  renew(): void;
  /** Stops accepting, sends every connection a GOAWAY, and destroys what is left after `graceMs` (default 1,000). */
  close(graceMs?: number): Promise<void>;
}

export async function listenMutualTls(options: MutualTlsOptions): Promise<MutualTlsListener> {
  const listener = new Listener(options);
  await listener.listen();
  return listener;
}

class Listener implements MutualTlsListener {
  readonly connections = new Map<string, PeerConnection>();
  port = 0;
  /** Sockets in their handshake, by peer. */
  private readonly pending = new Map<string, Socket>();
  private readonly limit: AcceptLimit;
  private readonly acceptor = createTcpServer((socket) => this.accept(socket));
  private readonly tls: TlsServer;
  private readonly plain = ServerCredentials.createInsecure();
  private readonly sampler: NodeJS.Timeout;

  constructor(private readonly options: MutualTlsOptions) {
    this.limit = new AcceptLimit(options.handshakeLimit ?? { count: 100, windowMs: 10_000 });
    this.acceptor.maxConnections = options.maxConnections ?? 10_000;
    this.acceptor.on('drop', (drop) => this.refused('connection_limit', drop?.remoteAddress));
    this.tls = createServer({
      ...this.secureContext(),
      // As a list it would be copied for each connection, into a slab of eight kilobytes that lives as long.
      ALPNCallback: ({ protocols }) => (protocols.includes('h2') ? 'h2' : undefined),
      requestCert: true,
      rejectUnauthorized: options.clientCertificate !== 'asked',
      handshakeTimeout: options.handshakeTimeoutMs ?? 10_000,
    });
    this.tls.on('secureConnection', (socket) => this.secured(socket));
    this.tls.on('tlsClientError', (_error, socket) => {
      this.refused('handshake', socket.remoteAddress);
      socket.destroy();
    });
    this.sampler = setInterval(() => this.sample(), this.silenceMs / 7);
    this.sampler.unref();
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.acceptor.once('error', reject);
      const { port, host = '127.0.0.1' } = this.options;
      // Every manager comes back at once after a restart: a full backlog would cost each of them a second or more.
      this.acceptor.listen({ port, host, backlog: 4_096 }, () => {
        this.acceptor.off('error', reject);
        // Out of descriptors, say: this connection is lost, the listener is not.
        this.acceptor.on('error', () => this.refused('accept_failed', undefined));
        this.port = (this.acceptor.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  connectionOf(peer: string): PeerConnection | undefined {
    return this.connections.get(peer);
  }

  renew(): void {
    this.tls.setSecureContext(this.secureContext());
  }

  async close(graceMs = 1_000): Promise<void> {
    clearInterval(this.sampler);
    const ends = [once(this.acceptor, 'close')];
    this.acceptor.close();
    for (const socket of this.pending.values()) socket.destroy();
    for (const connection of this.connections.values()) {
      ends.push(once(connection.socket, 'close'));
      connection.close(graceMs);
    }
    await Promise.all(ends);
  }

  private get silenceMs(): number {
    return this.options.silenceMs ?? 35_000;
  }

  private secureContext(): SecureContextOptions {
    return {
      ...this.options.credentials(),
      minVersion: this.options.minVersion ?? 'TLSv1.3',
      // A resumed handshake checks neither chain nor dates, so no ticket is ever issued.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }

  private accept(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const refusal = this.refusalAtAccept(address);
    if (refusal !== undefined) {
      this.refused(refusal, address);
      socket.destroy();
      return;
    }
    const peer = `${address}:${socket.remotePort}`;
    this.pending.set(peer, socket);
    socket.once('close', () => this.pending.delete(peer));
    this.tls.emit('connection', socket);
  }

  private refusalAtAccept(address: string): RefusalReason | undefined {
    if (this.pending.size >= (this.options.maxPending ?? 512)) return 'pending_limit';
    return this.limit.accept(address) ? undefined : 'source_limit';
  }

  private secured(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    this.pending.delete(`${socket.remoteAddress}:${socket.remotePort}`);
    const refusal = this.refusalAfterHandshake(socket);
    if (refusal !== undefined) {
      this.refused(refusal, socket.remoteAddress);
      socket.destroy();
      return;
    }
    this.register(new PeerConnection(socket, this.options.server, this.plain));
  }

  private refusalAfterHandshake(socket: TLSSocket): RefusalReason | undefined {
    if (socket.destroyed || socket.alpnProtocol !== 'h2') return 'handshake';
    if (!socket.authorized && socket.getPeerX509Certificate() !== undefined) return 'handshake';
    if (socket.isSessionReused()) return 'resumed';
    return this.admits(socket) ? undefined : 'not_admitted';
  }

  /** What cannot be decided, as about a certificate that no parser takes, is refused. */
  private admits(socket: TLSSocket): boolean {
    try {
      return this.options.admit?.(socket) ?? true;
    } catch {
      return false;
    }
  }

  private register(connection: PeerConnection): void {
    this.connections.set(connection.peer, connection);
    connection.socket.once('close', () => {
      this.connections.delete(connection.peer);
      this.options.onClose?.(connection, connection.causeOfClose(Date.now(), this.silenceMs));
    });
    this.options.onConnection?.(connection);
  }

  private refused(reason: RefusalReason, address: string | undefined): void {
    this.options.onRefused?.(reason, address ?? '');
  }

  private sample(): void {
    const now = Date.now();
    for (const connection of this.connections.values()) connection.sample(now);
  }
}
