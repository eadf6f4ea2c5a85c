import { gather, listing, type Entry } from '../files/listing.js';
import { segmentsOf } from '../files/request-path.js';
import { malformed, notFound } from '../http/problem.js';
import type { Answer } from '../http/routes.js';
import type { Git } from './git.js';
import { linesOf } from './lines.js';
import { objectAt, type Commit } from './objects.js';
import type { Repository } from './repository.js';

/** `GET /repo-directory`: what a directory of a commit holds. @param most entries at most */
export async function tree(
  git: Git,
  repository: Repository,
  commit: Commit,
  { path, most }: { path: string; most: number },
): Promise<Answer> {
  const object = await objectAt(git, repository, commit, path);
  if (!object) throw notFound('Directory not found');
  if (object.type !== 'tree') throw malformed('Not a directory');
  const output = git.output(repository, ['ls-tree', '-z', object.id]);
  const found = await gather(entriesOf(output), most);
  const segments = segmentsOf(path);
  const types = await linkTypes(git, repository, linkPaths(found, commit, segments));
  const entries = found.map(({ name, type }) => ({ name, type: type ?? types.get(name) }));
  const body = listing(
    { path: segments, branch: commit.ref },
    entries.filter((entry): entry is Entry => entry.type !== undefined),
  );
  return { headers: { 'content-type': 'application/json' }, body };
}

interface Found {
  name: Buffer;
  /** Undefined: a symbolic link. */
  type?: Entry['type'];
}

/** The modes of what a tree holds; submodules (160000) lie in other repositories and are left out. */
const modes: Record<string, Pick<Found, 'type'>> = {
  '040000': { type: 'directory' },
  '100644': { type: 'file' },
  '100664': { type: 'file' },
  '100755': { type: 'file' },
  '120000': {},
};

async function* entriesOf(output: AsyncIterable<Buffer>): AsyncGenerator<Found> {
  for await (const line of linesOf(output, '\0')) {
    const kind = modes[line.toString('latin1', 0, 6)];
    if (kind) yield { name: Buffer.from(line.subarray(line.indexOf('\t') + 1)), ...kind };
  }
}

/** How git is asked for symbolic links, by their names. One of a name with a line feed is left out. */
function linkPaths(found: Found[], { id }: Commit, segments: string[]): Map<Buffer, Buffer> {
  const folder = Buffer.from(`${id}:${segments.map((segment) => `${segment}/`).join('')}`);
  const links = found.filter(({ name, type }) => type === undefined && !name.includes('\n'));
  if (folder.includes('\n')) return new Map();
  return new Map(links.map(({ name }) => [name, Buffer.concat([folder, name, lineFeed])]));
}

const lineFeed = Buffer.from('\n');
const linkArgs = ['cat-file', '--batch-check=%(objecttype)', '--follow-symlinks'];

/** What symbolic links lead to within the commit; those that lead to nothing there are absent. */
async function linkTypes(
  git: Git,
  repository: Repository,
  paths: Map<Buffer, Buffer>,
): Promise<Map<Buffer, Entry['type']>> {
  const types = new Map<Buffer, Entry['type']>();
  if (paths.size === 0) return types;
  const input = Buffer.concat([...paths.values()]);
  const answers = answersOf(git.output(repository, linkArgs, { input }));
  for (const name of paths.keys()) {
    const { value } = await answers.next();
    if (value === 'blob') types.set(name, 'file');
    if (value === 'tree') types.set(name, 'directory');
  }
  // To the end, where a failure of git shows.
  await answers.next();
  return types;
}

/** One word per question. Where a link leads to nothing, `dangling 3` and the like, the bytes after it say what. */
async function* answersOf(output: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let told = 0;
  for await (const piece of linesOf(output, '\n')) {
    if (told > 0) {
      told -= piece.length + 1;
      continue;
    }
    const [, word, bytes] = /^(dangling|symlink|loop|notdir) (\d+)$/.exec(piece.toString()) ?? [];
    if (bytes !== undefined) told = Number(bytes) + 1;
    yield word ?? piece.toString();
  }
}
