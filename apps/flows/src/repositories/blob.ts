import { Readable } from 'node:stream';
import { contentHeaders } from '../files/content-type.js';
import { segmentsOf } from '../files/request-path.js';
import { malformed, notFound } from '../http/problem.js';
import type { Answer } from '../http/routes.js';
import type { Git } from './git.js';
import { objectAt, type Commit } from './objects.js';
import type { Repository } from './repository.js';

/** `GET /repo-file`: a file of a commit as git keeps it, without filters. */
export async function blob(
  git: Git,
  repository: Repository,
  commit: Commit,
  path: string,
): Promise<Answer> {
  const object = await objectAt(git, repository, commit, path);
  if (!object) throw notFound('File not found');
  if (object.type !== 'blob') throw malformed('Is a directory');
  const output = git.output(repository, ['cat-file', 'blob', object.id]);
  return {
    headers: {
      ...contentHeaders(segmentsOf(path).at(-1) ?? ''),
      'content-length': String(object.size),
      etag: `"${object.id}"`,
    },
    body: Readable.from(output, { objectMode: false }),
  };
}
