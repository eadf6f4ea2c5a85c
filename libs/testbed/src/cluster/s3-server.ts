import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { Daemon } from './daemon.js';
import { goProgram } from './go-program.js';
import { freePort } from './ports.js';

const module = 'github.com/versity/versitygw';

/** Access key and secret of one user. */
export interface S3Key {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface S3Server {
  url: string;
  region: string;
  /** May do everything, whatever policies say. */
  root: S3Key;
  /** Makes a user who may do what bucket policies allow it. Its id is its ARN in them. */
  addUser(id: string): Promise<S3Key>;
  /** Ends it and removes what it has stored. */
  stop(): Promise<void>;
}

/** versitygw (Apache-2.0): S3 in front of a folder, with signatures, policies and versions as in AWS. */
export function s3Program(): Promise<string> {
  const program = { name: 'versitygw', module, version: 'v1.8.0' };
  return goProgram({ ...program, package: `${module}/cmd/versitygw` });
}

/**
 * Starts an S3 server on the loopback address, in a folder that goes with it.
 * @throws {MissingProgramError} without Go, for the first call on a machine
 */
export async function startS3(): Promise<S3Server> {
  const file = await s3Program();
  const folder = await mkdtemp(join(tmpdir(), 'glacis-s3-'));
  const parts = ['buckets', 'versions', 'users'].map((name) => join(folder, name));
  const [buckets = '', versions = '', users = ''] = parts;
  for (const part of parts) await mkdir(part);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const region = 'eu-west-1';
  const root = { accessKeyId: 'root', secretAccessKey: 'secret-of-root' };
  const asRoot = ['--access', root.accessKeyId, '--secret', root.secretAccessKey];
  const daemon = new Daemon({
    name: 'the S3 server',
    file,
    args: ['--port', `127.0.0.1:${port}`, ...asRoot, '--region', region, '--iam-dir', users]
      .concat('--health', '/health')
      .concat('posix', '--versioning-dir', versions, buckets),
    logFile: join(folder, 'server.log'),
    ready: () => fetch(`${url}/health`).then(({ ok }) => ok),
  });
  const stop = async (): Promise<void> => {
    await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const addUser = async (id: string): Promise<S3Key> => {
    const key = { accessKeyId: id, secretAccessKey: `secret-of-${id}` };
    const admin = ['admin', ...asRoot, '--region', region, '--endpoint-url', url];
    const made = ['create-user', '--access', id, '--secret', key.secretAccessKey];
    await runCommand(file, [...admin, ...made, '--role', 'user']);
    return key;
  };
  try {
    await daemon.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, region, root, addUser, stop };
}
