import type { Logger } from '@glacis/observability';
import { Loop } from '@glacis/runtime';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinaries } from './binaries.js';
import { database, ensureCluster, role } from './cluster.js';
import { lockFolder } from './folder-lock.js';
import { adopt, isAlive, launch, shutDown, type Postmaster, type ServerPlace } from './server.js';
import { serverUser } from './server-user.js';
import { ensureSocketFolder, removeSocketFolder } from './socket-folder.js';

export interface PostgresOptions {
  /**
   * The suite's data folder, made if missing. The server keeps its cluster in `postgres`, its socket in `run` and its
   * messages in `postgres.log` there; everything else in it stays untouched.
   */
  dataDir: string;
  logger: Logger;
  /** Server settings over those of the library, by their Postgres names. */
  settings?: Record<string, string>;
}

export interface RunningPostgres {
  /** For `openStore` and every Postgres client: through the socket, as owner of the database. */
  url: string;
  /** The server was running already, as the process that started it was killed. */
  adopted: boolean;
  /** Shuts the server down, waits until it is gone, and lets others have the data folder. */
  stop(): Promise<void>;
}

/** Small, for one machine; everything that makes a commit durable stays as Postgres has it. */
const defaultSettings: Record<string, string> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  shared_buffers: '64MB',
  max_connections: '100',
  max_wal_size: '512MB',
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // Above ERROR: statements that fail belong to their callers, and their texts may hold secrets.
  log_min_messages: 'log',
  log_checkpoints: 'off',
  // Recovery begins with making the folder durable: by one call in place of one for each of a thousand files.
  ...(process.platform === 'linux' && { recovery_init_sync_method: 'syncfs' }),
};

/** How often the server is looked after, in milliseconds. */
const watchMs = 250;

/**
 * Starts the embedded Postgres of a data folder, or takes over the one that a killed process left running. While it
 * is not stopped, a server that dies is started again.
 * @throws {DataFolderInUseError} when another living process has the folder
 * @throws {UnreachableFolderError} as root, when the server's user cannot get at the folder
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  await mkdir(options.dataDir, { recursive: true, mode: folderMode() });
  const dataDir = await realpath(options.dataDir);
  const lock = await lockFolder(dataDir);
  try {
    const place = await prepare(dataDir, options.settings);
    const found = await adopt(place);
    const postmaster = found ?? (await launch(place));
    const adopted = found !== null;
    options.logger.info({ pid: postmaster.pid, adopted }, 'database server runs');
    const watch = watchOver(place, postmaster, options.logger);
    const stop = async (): Promise<void> => {
      await shutDown(await watch.end());
      await removeSocketFolder(dataDir, place.socketFolder);
      await lock.release();
    };
    return { url: place.url, adopted, stop };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** As root the server runs as another user, who must be able to pass through. */
function folderMode(): number {
  return process.getuid?.() === 0 ? 0o711 : 0o700;
}

async function prepare(dataDir: string, settings?: Record<string, string>): Promise<ServerPlace> {
  const cluster = join(dataDir, 'postgres');
  const binaries = await findBinaries(join(dataDir, 'postgres-lib'));
  const user = await serverUser(cluster, binaries.postgres);
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C' };
  if (binaries.libraryPath) {
    env.LD_LIBRARY_PATH = binaries.libraryPath;
  }
  await ensureCluster(cluster, { binaries, user, env });
  const socketFolder = await ensureSocketFolder(dataDir, user);
  return {
    cluster,
    socketFolder,
    logFile: join(dataDir, 'postgres.log'),
    url: `postgresql://${role}@${encodeURIComponent(socketFolder)}/${database}`,
    binaries,
    user,
    env,
    settings: { ...defaultSettings, ...settings },
  };
}

/** Starts the server again whenever it is found dead. `end` gives the server that runs now. */
function watchOver(
  place: ServerPlace,
  first: Postmaster,
  logger: Logger,
): { end(): Promise<Postmaster> } {
  let postmaster = first;
  const loop = new Loop({
    name: 'database server watch',
    intervalMs: watchMs,
    run: async () => {
      if (!(await isAlive(postmaster))) {
        logger.warn({ pid: postmaster.pid }, 'database server died and is started again');
        postmaster = await launch(place);
      }
    },
    onError: (error) => logger.error({ err: error }, 'database server does not start'),
  });
  loop.start();
  return {
    end: async () => {
      await loop.stop();
      return postmaster;
    },
  };
}
