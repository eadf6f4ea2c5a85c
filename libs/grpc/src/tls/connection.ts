import type { TLSSocket } from 'node:tls';
import type { ServerCredentials, Server } from '@grpc/grpc-js';

type Injector = ReturnType<Server['createConnectionInjector']>;

/** Who ended a connection: the peer, this process, or nobody answered a ping any more. */
export type CloseCause = 'peer' | 'local' | 'keepalive';

/** One admitted mutual-TLS connection. */
export class PeerConnection {
  /** `address:port`, as `call.getPeer()` tells it. */
  readonly peer: string;
  readonly address: string;
  private endedHere = false;
  private bytesSeen = 0;
  private activeAt = Date.now();
  private readonly injector: Injector;

  constructor(
    readonly socket: TLSSocket,
    server: Server,
    credentials: ServerCredentials,
  ) {
    this.address = socket.remoteAddress ?? '';
    this.peer = `${this.address}:${socket.remotePort}`;
    // One injector per connection: it is the only public way of grpc-js to send one connection a GOAWAY.
    this.injector = server.createConnectionInjector(credentials);
    socket.once('close', () => this.injector.destroy());
    this.injector.injectConnection(socket);
  }

  /**
   * Epoch milliseconds when the peer was last heard: a message, a ping or its answer. Known to within the sampling
   * period of the listener.
   */
  get lastActiveAt(): number {
    return this.activeAt;
  }

  /** True once `close` was called: what still comes in deserves no work. */
  get closing(): boolean {
    return this.endedHere;
  }

  /** Notes whether bytes have come in since the last call. */
  sample(now: number): void {
    const { bytesRead } = this.socket;
    if (bytesRead === this.bytesSeen) return;
    this.bytesSeen = bytesRead;
    this.activeAt = now;
  }

  /**
   * GOAWAY now. The connection ends with its last call, and the socket is destroyed after `graceMs` (default 50)
   * whatever the peer does.
   */
  close(graceMs = 50): void {
    this.endedHere = true;
    this.injector.drain(graceMs);
    setTimeout(() => this.socket.destroy(), graceMs).unref();
  }

  /** Why a closed connection ended; `silenceMs` is the silence that only a missing ping answer explains. */
  causeOfClose(now: number, silenceMs: number): CloseCause {
    this.sample(now);
    if (this.endedHere) return 'local';
    return now - this.activeAt >= silenceMs ? 'keepalive' : 'peer';
  }
}
