import { waitFor } from '@glacis/runtime';
import { withConnection } from '@glacis/store';
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { Daemon } from './daemon.js';
import { freePort } from './ports.js';
import { findSystemPostgres, requireProgram } from './programs.js';

export interface PostgresServerOptions {
  /** An existing folder to put it in. Default: a new one, removed at the end. */
  folder?: string;
  /** Server settings by their Postgres names. Default: Postgres's own, for few connections more. */
  settings?: Record<string, string>;
  /** An address of this machine on which clients come, from anywhere. Default 127.0.0.1, from this machine. */
  host?: string;
}

export interface PostgresServer {
  /** The maintenance database, as superuser. */
  url: string;
  port: number;
  /** A database with an owner of the same name, who may create more of them but is no superuser. */
  createDatabase(name: string): Promise<string>;
  /** False also when it has ended by itself, as it does on a full disk. */
  readonly running: boolean;
  start(): Promise<void>;
  /** The fast shutdown of pg_ctl(1): open connections are ended. */
  shutDown(): Promise<void>;
  kill(): Promise<void>;
  /** Freezes the server process, so that new connections hang; those that are open go on. */
  pause(): void;
  resume(): void;
  /** Ends it and removes what it has stored. */
  stop(): Promise<void>;
}

/** Postgres refuses to run as root. */
const nobody = 65534;
const superuser = 'postgres';

/**
 * Starts a Postgres of the system's own packages on the loopback address, in a folder that goes with it. Passwords are
 * asked for, and texts sort by language as in most installations.
 * @throws {MissingProgramError} without a Postgres from version 15 on
 */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const bin = await findSystemPostgres();
  const folder = await mkdtemp(join(options.folder ?? tmpdir(), 'glacis-postgres-'));
  const uid = process.getuid?.() === 0 ? nobody : undefined;
  if (uid) await chown(folder, uid, uid);
  await chmod(folder, 0o700);
  const [port, password] = [await freePort(), randomBytes(16).toString('hex')];
  const data = join(folder, 'data');
  const { host = '127.0.0.1' } = options;
  await initialize({ bin, folder, data, password, uid });
  const settings = {
    port: String(port),
    listen_addresses: host,
    unix_socket_directories: '',
    max_connections: '300',
    ...options.settings,
  };
  const daemon = new Daemon({
    name: 'Postgres',
    file: join(bin, 'postgres'),
    args: [
      '-D',
      data,
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    logFile: join(folder, 'postgres.log'),
    ready: (log) => log.includes('database system is ready to accept connections'),
    stopSignal: 'SIGINT',
    uid,
  });
  const url = (user: string, database: string, secret: string): string =>
    `postgresql://${user}:${secret}@${host}:${port}/${database}`;
  const adminUrl = url(superuser, 'postgres', password);
  const stop = async (): Promise<void> => {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  };
  // After a kill it refuses to start until the last of its old processes has gone.
  const start = async (): Promise<void> => {
    await waitFor(async () => daemon.start().then(() => true), { deadlineMs: 30_000 });
  };
  try {
    await daemon.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: adminUrl,
    port,
    createDatabase: async (name) => {
      const secret = randomBytes(16).toString('hex');
      await createDatabase(adminUrl, name, secret);
      return url(name, name, secret);
    },
    get running() {
      return daemon.running;
    },
    start,
    shutDown: () => daemon.stop(),
    kill: () => daemon.kill(),
    pause: () => daemon.pause(),
    resume: () => daemon.resume(),
    stop,
  };
}

interface ClusterPlace {
  bin: string;
  folder: string;
  data: string;
  password: string;
  uid?: number;
}

async function initialize({ bin, folder, data, password, uid }: ClusterPlace): Promise<void> {
  const secretFile = join(folder, 'password');
  await writeFile(secretFile, password, { mode: 0o600 });
  if (uid) await chown(secretFile, uid, uid);
  const user = ['-U', superuser, '-A', 'scram-sha-256', `--pwfile=${secretFile}`];
  const text = ['-E', 'UTF8', '--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US'];
  const initdb = [
    join(bin, 'initdb'),
    '-D',
    data,
    ...user,
    ...text,
    '--no-sync',
    '--no-instructions',
  ];
  const as = uid ? [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'] : [];
  const setpriv = await requireProgram('setpriv', 'util-linux');
  await runCommand(setpriv, [...as, '--', ...initdb], { cwd: '/' });
  // Where it listens says who can ask at all.
  await appendFile(join(data, 'pg_hba.conf'), 'host all all all scram-sha-256\n');
  await rm(secretFile);
}

async function createDatabase(adminUrl: string, name: string, secret: string): Promise<void> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new RangeError(`no name for a database: ${name}`);
  await withConnection(adminUrl, async (admin) => {
    await admin.query(`CREATE ROLE ${name} LOGIN CREATEDB PASSWORD '${secret}'`);
    await admin.query(`CREATE DATABASE ${name} OWNER ${name}`);
  });
}
