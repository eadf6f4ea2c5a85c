import { spawn } from 'node:child_process';
import { mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { PostgresBinaries } from './binaries.js';
import type { ServerUser } from './server-user.js';

/** Owner of the database; no superuser, so that SQL reaches no file and no program of the machine. */
export const role = 'glacis';
export const database = 'glacis';

/** What is set before the database may hold anything. `postgres --single` takes one statement a line. */
const firstStatements = `CREATE ROLE ${role} LOGIN CREATEDB\nCREATE DATABASE ${database} OWNER ${role}\n`;

export interface ClusterTools {
  binaries: PostgresBinaries;
  user: ServerUser;
  env: NodeJS.ProcessEnv;
}

/**
 * Makes the database cluster in `folder` unless it is there. It is made under another name and then renamed, so a
 * crash in between leaves no half-made one; what such a crash left is removed.
 */
export async function ensureCluster(folder: string, tools: ClusterTools): Promise<void> {
  const draftPrefix = `${folder}.new-`;
  await removeDrafts(draftPrefix);
  if (await isCluster(folder)) {
    return;
  }
  const draft = await mkdtemp(draftPrefix);
  await tools.user.own(draft);
  await initialize(draft, tools);
  await rename(draft, folder);
  await syncFolder(dirname(folder));
}

async function isCluster(folder: string): Promise<boolean> {
  return readFile(join(folder, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

async function removeDrafts(prefix: string): Promise<void> {
  const parent = dirname(prefix);
  const names = await readdir(parent);
  const drafts = names.filter((name) => name.startsWith(basename(prefix)));
  // An initdb that outlived its killed parent may still write there for a moment.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 };
  await Promise.all(drafts.map((name) => rm(join(parent, name), options)));
}

/** Since version 17; before that only A to Z have upper and lower case. */
const builtinLocale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

async function initialize(draft: string, tools: ClusterTools): Promise<void> {
  const { initdb, postgres } = tools.binaries;
  const version = majorVersion(await run(tools, postgres, ['--version']));
  const places = ['-D', draft, '-U', 'postgres', '-A', 'trust'];
  const text = ['-E', 'UTF8', '--locale=C', ...(version >= 17 ? builtinLocale : [])];
  await run(tools, initdb, [...places, ...text, '--no-instructions']);
  await run(tools, postgres, ['--single', '-D', draft, 'postgres'], firstStatements);
}

function majorVersion(text: string): number {
  return Number(/\(PostgreSQL\) (\d+)/.exec(text)?.[1] ?? 0);
}

async function run(tools: ClusterTools, file: string, args: string[], input = ''): Promise<string> {
  const command = tools.user.command(file, args);
  const child = spawn(command.file, command.args, {
    ...command,
    cwd: '/',
    env: tools.env,
    stdio: 'pipe',
  });
  child.stdin.on('error', () => undefined).end(input);
  const [stdout, stderr, code] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
  ]);
  if (code !== 0) {
    throw new Error(`${basename(file)} failed: ${stderr.toString().trim().slice(-2_000)}`);
  }
  return stdout.toString();
}

/** Makes the rename last through a power cut. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
