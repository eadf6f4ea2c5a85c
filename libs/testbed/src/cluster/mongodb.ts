import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Daemon } from './daemon.js';
import { freePort } from './ports.js';
import { pythonEnvironment } from './python-environment.js';

/** A server that speaks the wire protocol of MongoDB and keeps what it has acknowledged (GPL-2.0; for tests only). */
const version = '0.7.0b3';

export interface MongoServer {
  /** With the name of a database. */
  url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Ends it and removes what it has stored. */
  stop(): Promise<void>;
}

/**
 * Starts a MongoDB-wire server on the loopback address, in a folder that goes with it.
 * @throws {MissingProgramError} without Python 3
 */
export async function startMongo(): Promise<MongoServer> {
  const python = await mongoEnvironment();
  const folder = await mkdtemp(join(tmpdir(), 'glacis-mongodb-'));
  const port = await freePort();
  const args = ['--host', '127.0.0.1', '--port', String(port), '--cache-size', '256M'];
  const daemon = new Daemon({
    name: 'the MongoDB-wire server',
    file: python,
    args: [join(dirname(python), 'secantusd-py'), ...args, '--storage-path', join(folder, 'data')],
    logFile: join(folder, 'server.log'),
    ready: () => answers(port),
  });
  try {
    await daemon.start();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url: `mongodb://127.0.0.1:${port}/glacis?directConnection=true`,
    start: () => daemon.start(),
    kill: () => daemon.kill(),
    stop: async () => {
      await daemon.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The Python that the server runs in. */
export function mongoEnvironment(): Promise<string> {
  return pythonEnvironment(`secantusdb-${version}`, `SecantusDB==${version}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
