import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { currentRun } from '../run.js';

/** What is started by the first who asks for it. */
export interface OnDemand<T = unknown> {
  /** What everybody is told who asks. Plain data. */
  value: T;
  stop: () => Promise<void>;
}

const socketIn = (folder: string): string => join(folder, 'on-demand.sock');

export interface OnDemandServer {
  /** What this process itself asks for. */
  demand(name: string): Promise<unknown>;
  /** Ends those that were started, the last one first. */
  stop(): Promise<void>;
}

/**
 * Starts components when somebody in the test run asks for them, each once: tests run in processes and module registries
 * of their own, and only the process that holds the run outlives them all.
 * @param folder of the run
 */
export async function serveOnDemand(
  folder: string,
  starts: Readonly<Record<string, () => Promise<OnDemand>>>,
): Promise<OnDemandServer> {
  const asked = new Map<string, Promise<OnDemand>>();
  const demand = async (name: string): Promise<unknown> => {
    const start = starts[name];
    if (!start) throw new Error(`unknown: ${name}`);
    const component = asked.get(name) ?? start();
    asked.set(name, component);
    return (await component).value;
  };
  const server = createServer((request, response) => {
    demand((request.url ?? '').slice(1)).then(
      (value) => response.end(JSON.stringify(value)),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await once(server.listen(socketIn(folder)), 'listening');
  const stop = async (): Promise<void> => {
    server.close();
    for (const component of [...asked.values()].toReversed()) {
      await (await component.catch(() => null))?.stop();
    }
  };
  return { demand, stop };
}

/**
 * What `serveOnDemand` has under this name, started now or before.
 * @throws {Error} when it does not start, or outside of `npm run test:cluster`
 */
export async function demand<T>(name: string): Promise<T> {
  const asked = get({ socketPath: socketIn(currentRun().folder), path: `/${name}`, agent: false });
  const [response] = await once(asked, 'response');
  const told = await text(response);
  if (response.statusCode !== 200) throw new Error(`${name} does not start: ${told}`);
  return JSON.parse(told) as T;
}
