import { lstat, mkdir, mkdtemp, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerUser } from './server-user.js';

/** Postgres names its socket after the port, though it listens on none. */
export const socketName = '.s.PGSQL.5432';

/** Bytes that a socket path may have: sun_path of unix(7), less the closing zero. */
const longestPath = process.platform === 'linux' ? 107 : 103;

/**
 * A folder for the server's socket that only the server's user may enter, which is what lets the server trust every
 * connection: `run` in the data folder, or, when that path is too long for a socket, a folder for temporary files
 * that `run` is a link to.
 */
export async function ensureSocketFolder(dataDir: string, user: ServerUser): Promise<string> {
  const run = join(dataDir, 'run');
  if (Buffer.byteLength(join(run, socketName)) <= longestPath) {
    await mkdir(run, { recursive: true, mode: 0o700 });
    await user.own(run);
    return run;
  }
  const existing = await readlink(run).catch(() => null);
  if (existing !== null && (await isPrivate(existing))) {
    return existing;
  }
  await rm(run, { recursive: true, force: true });
  const short = await mkdtemp(join(tmpdir(), 'glacis-'));
  await user.own(short);
  await symlink(short, run);
  return short;
}

/** Removes the folder and the link to it. */
export async function removeSocketFolder(dataDir: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rm(join(dataDir, 'run'), { recursive: true, force: true });
}

async function isPrivate(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => null);
  return found !== null && found.isDirectory() && (found.mode & 0o077) === 0;
}
