import { segmentsOf } from '../files/request-path.js';
import { notFound } from '../http/problem.js';
import { defaultBranch } from './branches.js';
import type { Git } from './git.js';
import { isRefName } from './ref-name.js';
import { branchesOf, type Repository } from './repository.js';

/** What a request names: a tag goes before a branch; neither is the default branch. */
export interface Wanted {
  branch?: string;
  tag?: string;
}

export interface Commit {
  /** As it was asked for. */
  ref: string;
  id: string;
}

export interface GitObject {
  id: string;
  type: 'blob' | 'tree';
  /** Bytes of a blob. */
  size: number;
}

const unknownRef = 'Branch, tag or commit not found';

/** @throws {Problem} 404 where no branch, tag or commit is of that name */
export async function commitOf(git: Git, repository: Repository, wanted: Wanted): Promise<Commit> {
  const ref = wanted.tag ?? wanted.branch ?? (await defaultBranch(git, repository));
  if (ref === undefined || !isRefName(ref)) throw notFound(unknownRef);
  const names = [`${branchesOf(repository)}${ref}`, `refs/tags/${ref}`];
  if (wanted.tag !== undefined) names.reverse();
  if (/^[0-9a-f]{7,64}$/.test(ref)) names.push(ref);
  // Names come by standard input, where git reads no options.
  const input = names.map((name) => `${name}^{commit}\n`).join('');
  const answers = await git.text(repository, ['cat-file', '--batch-check'], { input });
  const [, id] = /^([0-9a-f]{40,64}) commit \d+$/m.exec(answers) ?? [];
  if (id === undefined) throw notFound(unknownRef);
  return { ref, id };
}

/**
 * What lies at a path of a commit, symbolic links followed; undefined where that is nothing in the commit.
 * @throws {Problem} 400 for a path that leads out
 */
export async function objectAt(
  git: Git,
  repository: Repository,
  commit: Commit,
  path: string,
): Promise<GitObject | undefined> {
  const args = ['cat-file', '--batch-check', '--follow-symlinks', '-z'];
  const input = `${commit.id}:${segmentsOf(path).join('/')}\0`;
  const answer = await git.text(repository, args, { input });
  const [, id, type, size] = /^([0-9a-f]{40,64}) (blob|tree) (\d+)\n$/.exec(answer) ?? [];
  return id === undefined ? undefined : { id, type: type as GitObject['type'], size: Number(size) };
}
