import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { RefusedError, TryAgainError } from './est-error.js';

/** Whom a connection trusts, and as whom it comes. PEM texts. */
export interface EstTrust {
  ca: string;
  cert?: string;
  key?: string;
  /** Runs after the usual checks of the server's certificate. */
  checkServer?: (certificate: PeerCertificate) => Error | undefined;
}

const defaultPort = 9012;
const connectMs = 10_000;

/**
 * A connection to `host`, `host:port` or `[v6]:port` of EST, checked before a byte is sent.
 * @param trust undefined: the server is not checked, so nothing secret may be sent and nothing believed
 * @throws {RefusedError} `server-not-trusted`
 * @throws {TryAgainError} when there is no connection
 */
export async function connectEst(address: string, trust?: EstTrust): Promise<TLSSocket> {
  const { host, port } = hostAndPort(address);
  const socket = connect({
    host,
    port,
    ...(isIP(host) === 0 && { servername: host }),
    ...(trust && { ca: trust.ca, cert: trust.cert, key: trust.key }),
    minVersion: 'TLSv1.3',
    // Judged below, so that a server of somebody else is told from one that is away.
    rejectUnauthorized: false,
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(connectMs) });
    if (trust) assertTrusted(socket, trust);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    if (error instanceof RefusedError) throw error;
    throw new TryAgainError(`no connection to ${address}`, { cause: error });
  }
}

function assertTrusted(socket: TLSSocket, { checkServer }: EstTrust): void {
  if (!socket.authorized) {
    throw new RefusedError('server-not-trusted', String(socket.authorizationError));
  }
  const fault = checkServer?.(socket.getPeerCertificate(true));
  if (fault) throw new RefusedError('server-not-trusted', fault.message);
}

/** @throws {RefusedError} `malformed` */
export function hostAndPort(address: string): { host: string; port: number } {
  const [, bracketed, plain, port = String(defaultPort)] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/]+))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) {
    throw new RefusedError('malformed', `'${address}' is no host or host:port`);
  }
  return { host, port: Number(port) };
}
