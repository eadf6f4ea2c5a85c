import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Megabytes of JavaScript objects; shares lie in typed arrays beside them. A run of 1,048,576 rows takes less than half of it. */
const HEAP_MB = 128;

/** Where this installation lies. */
const ownRoot = fileURLToPath(new URL('../../../../', import.meta.url));

/** What the program is made of: its own files, those of our libraries below it, and what these need. */
function readable(root: string): string[] {
  const own = [
    'apps/party',
    'libs/contracts',
    'libs/mpc',
    'libs/pki',
    'libs/runtime',
    'libs/shares',
  ];
  const packages = join(root, 'node_modules');
  return [
    ...own.map((folder) => join(root, folder, '*')),
    join(packages, '@glacis', '*'),
    join(packages, 'zod', '*'),
  ];
}

export interface AgentPlace {
  /** Of the installation that the agent is started from. Default: this one. */
  root?: string;
  /** What it may read beside its program and its directory. Default nothing. */
  reads?: readonly string[];
}

/** `--permission`, as Node before 23.5 calls it as well. */
function permissionFlags(folder: string, { root = ownRoot, reads = [] }: AgentPlace): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  const name = known.has('--permission') ? '--permission' : '--experimental-permission';
  const network = known.has('--allow-net') ? ['--allow-net'] : [];
  const files = [...readable(root), join(folder, '*'), ...reads];
  const flags = files.map((path) => `--allow-fs-read=${path}`);
  return [name, ...network, ...flags, `--allow-fs-write=${join(folder, '*')}`];
}

/**
 * Arguments for Node of one agent: under the permission model it reads its program and its own directory, writes the latter,
 * and starts neither processes nor threads.
 * @param runId stands in the command line, by which the process is known again
 */
export function agentArguments(folder: string, runId: string, place: AgentPlace = {}): string[] {
  const { root = ownRoot } = place;
  return [
    '--no-warnings',
    `--max-old-space-size=${HEAP_MB}`,
    ...permissionFlags(folder, place),
    join(root, 'apps/party/dist/main.js'),
    '--run',
    runId,
  ];
}
