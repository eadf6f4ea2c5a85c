import type { ClientRequest, ClientRequestArgs } from 'node:http';
import { Agent, type RequestOptions } from 'node:https';
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, TLSSocket, type ConnectionOptions } from 'node:tls';

/** The TCP sockets below those of TLS. */
const below = new WeakMap<Duplex, Socket>();

/** An agent of one set of certificates, whose requests `giveUp` can end for good. */
export class TlsAgent extends Agent {
  /** The certificates are the same for all; joined to a name they would be hashed with each request. */
  override getName({ host, port }: RequestOptions = {}): string {
    return `${host}:${port}`;
  }

  override createConnection(options: ClientRequestArgs): Duplex {
    const tcp = connectTcp(options as TcpNetConnectOpts);
    const tls = connectTls({ ...(options as ConnectionOptions), socket: tcp });
    below.set(tls, tcp);
    return tls;
  }
}

/**
 * Ends a request by RST, so that the kernel forgets what it has not delivered. After a mere close it goes on trying, and a
 * write that was given up long ago could still arrive when a network is whole again.
 */
export function giveUp(request: ClientRequest): void {
  const tcp = tcpOf(request.socket);
  if (!tcp || tcp.connecting || tcp.destroyed) request.destroy();
  else tcp.resetAndDestroy();
}

function tcpOf(socket: Socket | null): Socket | undefined {
  if (!socket) return undefined;
  return socket instanceof TLSSocket ? below.get(socket) : socket;
}
