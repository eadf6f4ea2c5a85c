import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Flow } from '../files/flow-root.js';
import { isAbsent } from '../files/place.js';
import { notFound } from '../http/problem.js';
import type { GitPlace } from './git.js';

/** The repository of a flow: where git finds it, and under which names its branches are. */
export interface Repository extends GitPlace {
  flow: Flow;
  /** A clone of a remote; else it is the origin itself. */
  clone: boolean;
}

/** Where the branches are: in a clone, as the remote has them. */
export const branchesOf = ({ clone }: Repository): string =>
  clone ? 'refs/remotes/origin/' : 'refs/heads/';

/**
 * The repository to read (`graph-apps.md` 7.1): `bare.git` of a local flow, so that pushes show at once, else the clone
 * of a remote.
 * @throws {Problem} 404 where there is none
 */
export async function repositoryOf(flow: Flow): Promise<Repository> {
  const bare = join(flow.folder, 'bare.git');
  if (await isWhole(bare)) return { flow, gitDir: bare, safeDirectory: bare, clone: false };
  const gitDir = join(flow.folder, '.git');
  if (await isWhole(gitDir)) return { flow, gitDir, safeDirectory: flow.folder, clone: true };
  throw notFound('Repository not found');
}

const parts = ['HEAD', 'config', 'objects', 'refs'];
/** Files by which a git directory continues elsewhere. */
const leadingOut = ['commondir', 'objects/info/alternates'];

/** Whether it is a git directory that holds all of itself: those who write to the flow may have made it. */
async function isWhole(gitDir: string): Promise<boolean> {
  const own = await Promise.all(['.', ...parts].map((name) => kindOf(join(gitDir, name))));
  const outside = await Promise.all(leadingOut.map((name) => kindOf(join(gitDir, name))));
  return own.every((kind) => kind === 'own') && outside.every((kind) => kind === 'absent');
}

async function kindOf(path: string): Promise<'own' | 'absent' | 'other'> {
  try {
    const stats = await lstat(path);
    return stats.isFile() || stats.isDirectory() ? 'own' : 'other';
  } catch (error) {
    if (isAbsent(error)) return 'absent';
    throw error;
  }
}
