import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { LinkError } from './link-error.js';
import { checkPeer, tlsOptions, type PartyIdentity } from './tls.js';

export interface Address {
  host: string;
  port: number;
}

const RETRY_MS = 100;

async function attempt(
  identity: PartyIdentity,
  { host, port }: Address,
  signal: AbortSignal,
): Promise<TLSSocket> {
  // Names are no matter here: checkPeer asks for one URI.
  const options = { ...tlsOptions(identity), checkServerIdentity: () => undefined };
  const socket = connect({ host, port, rejectUnauthorized: true, ...options });
  socket.setNoDelay(true);
  try {
    await once(socket, 'secureConnect', { signal });
    return socket;
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

/**
 * Connects to the next party, which may not listen yet.
 * @throws {LinkError} `peer_refused` for a certificate of somebody else, `peer_lost` when the signal comes first
 */
export async function dial(
  identity: PartyIdentity,
  address: Address,
  uri: string,
  signal: AbortSignal,
): Promise<TLSSocket> {
  while (!signal.aborted) {
    const socket = await attempt(identity, address, signal).catch(() => undefined);
    if (socket !== undefined) {
      try {
        checkPeer(socket, uri);
        return socket;
      } catch (error) {
        socket.destroy();
        throw error;
      }
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  throw new LinkError('transient', 'peer_lost', 'the next party cannot be reached');
}
