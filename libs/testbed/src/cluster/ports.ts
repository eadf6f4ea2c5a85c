import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take the ports of outgoing connections: none can take the port of a server that
 * is stopped for a while, nor be connected to itself.
 */
const [lowest, highest] = [10_000, 32_000];

const given = new Set<number>();

/** A free port of the loopback address, never the same twice in a process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (!given.has(port) && (await isFree(port))) {
      given.add(port);
      return port;
    }
  }
}

export async function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}

/**
 * A number that, added to each of the ports, gives free ones.
 * @param ports above 1,024 and not far apart, as a program has them by default
 */
export async function freeOffset(ports: number[]): Promise<number> {
  const [least, most] = [Math.min(...ports), Math.max(...ports)];
  for (;;) {
    const offset = randomInt(lowest - least, highest - most);
    const free = await Promise.all(ports.map((port) => isFree(port + offset)));
    if (free.every(Boolean)) return offset;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.listen(port, '127.0.0.1');
  const free = await listening;
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}
