import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { Daemon } from './daemon.js';
import { goProgram } from './go-program.js';
import { freePort } from './ports.js';
import { requireProgram } from './programs.js';

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
  /**
   * Makes a user who may do what these policies of IAM allow, and what bucket policies allow to its ARN, which is
   * `arn:aws:iam::000000000000:user/` and its name. Whoever makes a bucket owns it: may do with it what is not denied.
   */
  addUser(name: string, policies?: readonly object[]): Promise<S3Key>;
  /** Ends it and removes what it has stored. */
  stop(): Promise<void>;
}

/** versitygw (Apache-2.0): S3 in front of a folder, with signatures, policies and versions as in AWS. */
export function s3Program(): Promise<string> {
  const program = { name: 'versitygw', module, version: 'v1.8.0' };
  return goProgram({ ...program, package: `${module}/cmd/versitygw` });
}

/**
 * Starts an S3 server with its IAM on the loopback address, in a folder that goes with them.
 * @throws {MissingProgramError} without Go, for the first call on a machine
 */
export async function startS3(): Promise<S3Server> {
  const file = await s3Program();
  const folder = await mkdtemp(join(tmpdir(), 'glacis-s3-'));
  const parts = ['buckets', 'versions', 'users'].map((name) => join(folder, name));
  const [buckets = '', versions = '', users = ''] = parts;
  for (const part of parts) await mkdir(part);
  const region = 'eu-west-1';
  const root = { accessKeyId: 'root', secretAccessKey: 'secret-of-root' };
  const asRoot = ['--access', root.accessKeyId, '--secret', root.secretAccessKey];
  const socket = join(folder, 'iam.sock');
  const program = async (name: string, args: string[]): Promise<Served> => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const daemon = new Daemon({
      name: `the ${name} server`,
      file,
      args: ['--port', `127.0.0.1:${port}`, '--health', '/health', ...asRoot, ...args],
      logFile: join(folder, `${name}.log`),
      ready: () => fetch(`${url}/health`).then(({ ok }) => ok),
    });
    return { url, daemon };
  };
  const iam = await program('IAM', ['iam', '--dir', users, '--private-ports', socket]);
  const policies = ['--iam-standalone-endpoint', socket, '--iam-cache-disable'];
  const s3 = await program(
    'S3',
    ['--region', region, ...policies].concat('posix', '--versioning-dir', versions, buckets),
  );
  const stop = async (): Promise<void> => {
    for (const { daemon } of [s3, iam]) await daemon.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const { daemon } of [iam, s3]) await daemon.start();
  } catch (error) {
    await stop();
    throw error;
  }
  const addUser: S3Server['addUser'] = (name, documents = []) =>
    userOf({ url: iam.url, root, name }, documents);
  return { url: s3.url, region, root, addUser, stop };
}

interface Served {
  url: string;
  daemon: Daemon;
}

interface NewUser {
  /** Of IAM. */
  url: string;
  root: S3Key;
  name: string;
}

async function userOf({ url, root, name }: NewUser, policies: readonly object[]): Promise<S3Key> {
  const call = (action: string, more: Record<string, string> = {}): Promise<string> =>
    callIam(url, root, { Action: action, UserName: name, ...more });
  await call('CreateUser');
  for (const [i, policy] of policies.entries()) {
    const document = { PolicyName: `policy-${i}`, PolicyDocument: JSON.stringify(policy) };
    await call('PutUserPolicy', document);
  }
  const made = await call('CreateAccessKey');
  const of = (member: string): string => new RegExp(`<${member}>([^<]*)<`).exec(made)?.[1] ?? '';
  return { accessKeyId: of('AccessKeyId'), secretAccessKey: of('SecretAccessKey') };
}

/** The query interface of IAM, which knows one region. */
async function callIam(
  url: string,
  { accessKeyId, secretAccessKey }: S3Key,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const curl = await requireProgram('curl', 'curl');
  const members = Object.entries({ ...parameters, Version: '2010-05-08' });
  const data = members.flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);
  const signed = ['--aws-sigv4', 'aws:amz:us-east-1:iam', '--config', '-'];
  const input = `user = "${accessKeyId}:${secretAccessKey}"`;
  return runCommand(curl, ['--silent', '--show-error', '--fail', ...signed, ...data, url], {
    input,
  });
}
