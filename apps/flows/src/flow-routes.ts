import { directory } from './files/directory.js';
import { file } from './files/file.js';
import type { Flow, FlowRoot } from './files/flow-root.js';
import { Problem } from './http/problem.js';
import { json, required, type Answer, type Asked, type Route } from './http/routes.js';
import { blob } from './repositories/blob.js';
import { metadata } from './repositories/branches.js';
import { check } from './repositories/check.js';
import type { Fetches } from './repositories/fetches.js';
import { GitError, type Git } from './repositories/git.js';
import { commitOf, type Commit } from './repositories/objects.js';
import { repositoryOf, type Repository } from './repositories/repository.js';
import { tree } from './repositories/tree.js';

export interface FlowsParts {
  root: FlowRoot;
  git: Git;
  fetches: Fetches;
  /** Entries of a listing at most. */
  most: number;
}

/** The routes of `graph-apps.md` 7.2. */
export function flowRoutes({ root, git, fetches, most }: FlowsParts): Route[] {
  const flowOf = ({ params }: Asked): Promise<Flow> => root.flow(params['flow'] ?? '');
  const repository = async (
    asked: Asked,
    answer: (found: Repository) => Promise<Answer>,
  ): Promise<Answer> => {
    const found = await repositoryOf(await flowOf(asked));
    const fresh = await fetches.isFresh(found);
    const { headers, ...rest } = await answer(found).catch(unreadable);
    return { ...rest, headers: { ...headers, ...(!fresh && { 'x-glacis-stale': 'true' }) } };
  };
  const commit = (found: Repository, { query }: Asked): Promise<Commit> => {
    const [branch, tag] = [query.get('branch') ?? undefined, query.get('tag') ?? undefined];
    return commitOf(git, found, { branch, tag });
  };
  const routes: Record<string, Route['handle']> = {
    directory: async (asked) => {
      const path = required(asked, 'path');
      return directory(await flowOf(asked), path, most);
    },
    file: async (asked) => {
      const path = required(asked, 'path');
      return file(await flowOf(asked), path, asked);
    },
    'repo-metadata': (asked) =>
      repository(asked, async (found) => json(await metadata(git, found, most))),
    'repo-directory': (asked) => {
      const path = required(asked, 'path');
      return repository(asked, async (found) =>
        tree(git, found, await commit(found, asked), { path, most }),
      );
    },
    'repo-file': (asked) => {
      const path = required(asked, 'path');
      return repository(asked, async (found) => blob(git, found, await commit(found, asked), path));
    },
    'repo-check': async (asked) => json(await check(git, await flowOf(asked))),
  };
  return Object.entries(routes).map(([name, handle]) => ({
    path: `/api/v1/app/flows_service/{flow}/${name}`,
    handle,
  }));
}

/** Its cause is in the log already. */
function unreadable(error: unknown): never {
  if (error instanceof GitError) throw new Problem('internal', 'Repository cannot be read');
  throw error;
}
