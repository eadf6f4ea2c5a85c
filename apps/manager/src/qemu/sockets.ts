import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const tryAgainMs = 20;

/**
 * Connects to a Unix socket that may not be there yet, again and again until `signal` aborts.
 * @throws {Error} the reason of the abort
 */
export async function connectWhenThere(path: string, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    signal.throwIfAborted();
    const socket = await tryConnect(path);
    if (socket !== undefined) return socket;
    await delay(tryAgainMs);
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    // Later ones end the socket, and whoever holds it is told by `close`.
    socket.on('error', () => resolve(undefined));
  });
}
