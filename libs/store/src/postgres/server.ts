import { waitFor } from '@glacis/runtime';
import { spawn } from 'node:child_process';
import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withConnection } from '../connection.js';
import type { PostgresBinaries } from './binaries.js';
import { commandLine, processStart } from './process-identity.js';
import type { ServerUser } from './server-user.js';
import { socketName } from './socket-folder.js';

export interface ServerPlace {
  cluster: string;
  socketFolder: string;
  logFile: string;
  url: string;
  binaries: PostgresBinaries;
  user: ServerUser;
  env: NodeJS.ProcessEnv;
  settings: Record<string, string>;
}

/** One postmaster, named by pid and start time, so that a recycled pid is never taken for it. */
export interface Postmaster {
  pid: number;
  started: string;
}

const startDeadlineMs = 20_000;

/** After these milliseconds of orderly shutdown the server is made to stop at once; it then recovers at next start. */
const stopDeadlineMs = 7_000;

/** A longer log of the server is begun anew at its next start. */
const longestLogBytes = 1_000_000;

/** The server that runs on this cluster already, once it answers; null when there is none. */
export async function adopt(place: ServerPlace): Promise<Postmaster | null> {
  const { pid } = await readPidFile(place);
  const started = pid && (await processStart(pid));
  if (!pid || !started || !(await commandLine(pid))?.includes(place.cluster)) {
    return null;
  }
  const postmaster = { pid, started };
  return (await becomesReady(place, postmaster)) ? postmaster : null;
}

/**
 * Postgres takes any process that has the pid in these files for a running server, also a dead one that nobody has
 * waited for yet, or another program. The pid of its parent it knows to be stale, and then goes by what else is in
 * the file: whether children of the old server are still there.
 */
async function markStale(place: ServerPlace): Promise<void> {
  const pidFile = join(place.cluster, 'postmaster.pid');
  const socketLock = join(place.socketFolder, `${socketName}.lock`);
  for (const file of [pidFile, socketLock]) {
    const text = await readFile(file, 'utf8').catch(() => null);
    if (text !== null) {
      await writeFile(file, text.replace(/^-?\d+/, String(process.pid)));
    }
  }
}

/** Starts a server and waits until it answers. It outlives this process unless it is stopped. */
export async function launch(place: ServerPlace): Promise<Postmaster> {
  if ((await readPidFile(place)).pid === null) {
    return launchOnce(place);
  }
  await markStale(place);
  // Right after a kill of the old server its last children still hold the shared memory; then it takes another try.
  return waitFor(() => launchOnce(place), {
    deadlineMs: startDeadlineMs,
    everyMs: 100,
    what: 'the database server to start',
  });
}

/** Ends the server in order, or at once when that takes too long, and waits until it is gone. */
export async function shutDown(postmaster: Postmaster): Promise<void> {
  try {
    await end(postmaster, 'SIGINT');
  } catch {
    await end(postmaster, 'SIGQUIT');
  }
}

export async function isAlive(postmaster: Postmaster): Promise<boolean> {
  return (await processStart(postmaster.pid)) === postmaster.started;
}

async function launchOnce(place: ServerPlace): Promise<Postmaster> {
  const { cluster, socketFolder, settings } = place;
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const args = ['-D', cluster, '-k', socketFolder, ...options];
  const command = place.user.command(place.binaries.postgres, args);
  const log = await openLog(place.logFile);
  // A process group of its own keeps Ctrl-C, meant for this process, from stopping the server under it.
  const child = spawn(command.file, command.args, {
    ...command,
    cwd: '/',
    env: place.env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => undefined);
  child.unref();
  try {
    const started = await Promise.race([child.pid ? processStart(child.pid) : failed, failed]);
    const postmaster = { pid: child.pid ?? 0, started: started ?? '' };
    if (await Promise.race([becomesReady(place, postmaster), failed])) {
      return postmaster;
    }
  } finally {
    await log.close();
  }
  const lines = await readFile(place.logFile, 'utf8');
  throw new Error(`the database server did not start: ${lines.trim().slice(-1_000)}`);
}

async function openLog(file: string): Promise<Awaited<ReturnType<typeof open>>> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > longestLogBytes) {
    await truncate(file);
  }
  return open(file, 'a', 0o600);
}

/** True once the server answers; false when its process has ended. */
async function becomesReady(place: ServerPlace, postmaster: Postmaster): Promise<boolean> {
  return waitFor<{ ready: boolean }>(
    async () => {
      // Each connection costs the server a process, so it is asked only when it says that it is ready.
      if ((await readPidFile(place)).status === 'ready' && (await answers(place.url))) {
        return { ready: true };
      }
      return !(await isAlive(postmaster)) && { ready: false };
    },
    { deadlineMs: startDeadlineMs, everyMs: 10, what: 'the database server to answer' },
  ).then(({ ready }) => ready);
}

async function answers(url: string): Promise<boolean> {
  const config = { connectionString: url, connectionTimeoutMillis: 2_000 };
  return withConnection(config, async () => true).catch(() => false);
}

/** `postmaster.pid`: line 1 is the pid, line 8 the state. It stays behind when the server is killed. */
async function readPidFile(place: ServerPlace): Promise<{ pid: number | null; status: string }> {
  const text = await readFile(join(place.cluster, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  return { pid: Number(lines[0]) || null, status: lines[7]?.trim() ?? '' };
}

async function end(postmaster: Postmaster, signal: NodeJS.Signals): Promise<void> {
  if (await isAlive(postmaster)) {
    process.kill(postmaster.pid, signal);
  }
  await waitFor(async () => !(await isAlive(postmaster)), {
    deadlineMs: stopDeadlineMs,
    everyMs: 10,
    what: 'the database server to stop',
  });
}
