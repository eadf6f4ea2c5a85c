import { malformed } from '../http/problem.js';
import { GitError, type Git } from './git.js';
import { linesOf } from './lines.js';
import { branchesOf, type Repository } from './repository.js';

/** Body of `GET /repo-metadata`. */
export interface Metadata {
  /** Null while no branch is checked out and the remote names none. */
  defaultBranch: string | null;
  branches: string[];
  tags: string[];
}

/** @param most branches and tags together, at most. @throws {Problem} 400 above */
export async function metadata(git: Git, repository: Repository, most: number): Promise<Metadata> {
  const heads = branchesOf(repository);
  const args = ['for-each-ref', '--format=%(refname)', heads, 'refs/tags/'];
  const branches: string[] = [];
  const tags: string[] = [];
  for await (const line of linesOf(git.output(repository, args), '\n')) {
    if (branches.length + tags.length === most) throw malformed(`Repository has over ${most} refs`);
    const ref = line.toString();
    if (ref.startsWith(heads)) branches.push(ref.slice(heads.length));
    else tags.push(ref.slice('refs/tags/'.length));
  }
  const defaultName = (await defaultBranch(git, repository)) ?? null;
  // What a clone keeps beside the branches of its remote.
  const plain = repository.clone ? branches.filter((name) => name !== 'HEAD') : branches;
  return { defaultBranch: defaultName, branches: plain, tags };
}

/** The branch that is checked out: in a clone that is the flow's `defaultBranch`, else the remote's own. */
export async function defaultBranch(git: Git, repository: Repository): Promise<string | undefined> {
  return (
    (await target(git, repository, 'HEAD', 'refs/heads/')) ??
    (await target(git, repository, 'refs/remotes/origin/HEAD', 'refs/remotes/origin/'))
  );
}

async function target(
  git: Git,
  repository: Repository,
  name: string,
  prefix: string,
): Promise<string | undefined> {
  try {
    const ref = (await git.text(repository, ['symbolic-ref', '--quiet', name])).trimEnd();
    return ref.startsWith(prefix) ? ref.slice(prefix.length) : undefined;
  } catch (error) {
    // It names a commit, or is not there.
    if (error instanceof GitError && error.code === 1) return undefined;
    throw error;
  }
}
