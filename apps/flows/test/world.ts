import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '@glacis/testbed';
import { startFlows, type FlowsSettings } from '../src/flows.js';

const exec = promisify(execFile);

const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];

/** Real git, as people use it. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await exec('git', [...author, '-c', 'init.defaultBranch=main', ...args], {
    cwd: folder,
  });
  return stdout.trim();
}

export interface World {
  /** Where the flows of the service lie. */
  root: string;
  get: (path: string, init?: RequestInit) => Promise<Response>;
  /** The detail of a refusal, with its status. */
  refusal: (path: string, init?: RequestInit) => Promise<[number, string]>;
  /** A new flow: its directory. */
  flow: (name: string) => Promise<string>;
  port: number;
  stop: () => Promise<void>;
}

export async function startWorld(settings: Partial<FlowsSettings> = {}): Promise<World> {
  const root = join(await temporaryFolder(), 'flows');
  await mkdir(root);
  const server = await startFlows({
    host: '127.0.0.1',
    httpPort: 0,
    logLevel: 'error',
    root,
    remotes: [],
    fetchEvery: 60_000,
    maxEntries: 1000,
    gitTimeout: 20_000,
    gitProcesses: 8,
    ...settings,
  });
  const prefix = `http://127.0.0.1:${server.port}/api/v1/app/flows_service`;
  const get: World['get'] = (path, init) => fetch(`${prefix}${path}`, init);
  return {
    root,
    get,
    refusal: async (path, init) => {
      const response = await get(path, init);
      const { detail } = (await response.json()) as { detail: string };
      return [response.status, detail];
    },
    flow: async (name) => {
      await mkdir(join(root, name));
      return join(root, name);
    },
    port: server.port,
    stop: () => server.close(),
  };
}

/** Serves a folder over HTTP, as a git remote that speaks the dumb protocol; `stop` makes it unreachable. */
export async function serveFolder(
  answer: Parameters<typeof createServer>[1],
): Promise<{ url: string; stop: () => Promise<void> }> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}
