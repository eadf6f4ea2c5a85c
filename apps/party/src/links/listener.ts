import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { LinkError } from './link-error.js';
import { checkPeer, tlsOptions, type PartyIdentity } from './tls.js';

/** Connections that wait to be looked at; the neighbour needs one. */
const MAX_WAITING = 4;

/** The port of an agent for links. Who comes without a certificate of the job is refused by TLS already. */
export class LinkListener {
  private waiting: TLSSocket[] = [];
  private wake: () => void = () => undefined;

  private constructor(private readonly server: Server) {
    server.on('secureConnection', (socket) => this.arrive(socket));
  }

  static async open(identity: PartyIdentity, host: string, port: number): Promise<LinkListener> {
    const server = createServer({
      ...tlsOptions(identity),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: 10_000,
      // A round ends with the last segment of a message: it must not wait for the one before it to be acknowledged.
      noDelay: true,
    });
    server.maxConnections = 16;
    server.listen(port, host);
    await once(server, 'listening');
    return new LinkListener(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /**
   * The connection of the neighbour whose certificate is for this URI; others are closed.
   * @throws {LinkError} `peer_lost` when it does not come in time
   */
  async accept(uri: string, signal: AbortSignal): Promise<TLSSocket> {
    const gaveUp = (): void => this.wake();
    signal.addEventListener('abort', gaveUp);
    try {
      for (;;) {
        const socket = this.pick(uri);
        if (socket !== undefined) return socket;
        if (signal.aborted)
          throw new LinkError('transient', 'peer_lost', 'the previous party has not come');
        await new Promise<void>((done) => (this.wake = done));
      }
    } finally {
      signal.removeEventListener('abort', gaveUp);
    }
  }

  close(): void {
    this.server.close();
    for (const socket of this.waiting) socket.destroy();
  }

  private arrive(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    this.waiting = this.waiting.filter(({ destroyed }) => !destroyed);
    if (this.waiting.length >= MAX_WAITING) return void socket.destroy();
    this.waiting.push(socket);
    this.wake();
  }

  private pick(uri: string): TLSSocket | undefined {
    for (let socket = this.waiting.shift(); socket !== undefined; socket = this.waiting.shift()) {
      try {
        checkPeer(socket, uri);
        if (!socket.destroyed) return socket;
      } catch {
        socket.destroy();
      }
    }
    return undefined;
  }
}
