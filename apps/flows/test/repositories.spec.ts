import { execFileSync } from 'node:child_process';
import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { findProcesses, temporaryFolder } from '@glacis/testbed';
import { waitFor } from '@glacis/runtime';
import { git, serveFolder, startWorld, type World } from './world.js';

let world: World;
/** Where a component works. */
let work: string;
let bare: string;

beforeAll(async () => {
  world = await startWorld({ maxEntries: 60, gitTimeout: 60_000 });
  bare = join(await world.flow('repo'), 'bare.git');
  await git(world.root, 'init', '--quiet', '--bare', bare);
  work = join(await temporaryFolder(), 'work');
  await git(world.root, 'clone', '--quiet', bare, work);
  await mkdir(join(work, 'dir/deeper'), { recursive: true });
  await writeFile(join(work, 'dir/a.csv'), 'a,b\n');
  await writeFile(join(work, 'dir/deeper/z'), 'z');
  await writeFile(join(work, '..odd'), 'odd');
  await commit('first');
  await git(work, 'tag', 'v1');
  await writeFile(join(work, 'dir/a.csv'), 'c,d\n');
  await writeFile(join(work, 'new\nline'), 'lines');
  await commit('second');
  await git(work, 'push', '--quiet', 'origin', 'main', 'v1');
});

afterAll(() => world.stop());

async function commit(message: string): Promise<string> {
  await git(work, 'add', '--all');
  await git(work, 'commit', '--quiet', '--message', message);
  return git(work, 'rev-parse', 'HEAD');
}

const at = (kind: string, query: Record<string, string> = {}, flow = 'repo'): string =>
  `/${flow}/repo-${kind}?${new URLSearchParams(query).toString()}`;
const file = async (query: Record<string, string>): Promise<string> =>
  (await world.get(at('file', query))).text();
const names = async (query: Record<string, string>): Promise<string[]> => {
  const body = (await (await world.get(at('directory', query))).json()) as {
    contents: { name: string; type: string }[];
  };
  return body.contents.map(({ name, type }) => (type === 'directory' ? `${name}/` : name));
};

describe('graph-apps.md 7.2 /repo-metadata', () => {
  test('default branch, plain names of branches, tags; without tags []', async () => {
    expect(await (await world.get(at('metadata'))).json()).toEqual({
      defaultBranch: 'main',
      branches: ['main'],
      tags: ['v1'],
    });
    const other = await world.flow('no-tags');
    await git(other, 'init', '--quiet', '--bare', '--initial-branch=trunk', 'bare.git');
    expect(await (await world.get(at('metadata', {}, 'no-tags'))).json()).toEqual({
      defaultBranch: 'trunk',
      branches: [],
      tags: [],
    });
  });

  test('404 Repository not found', async () => {
    await world.flow('plain');
    await writeFile(join(world.root, 'plain/bare.git'), 'a file');
    for (const kind of ['metadata', 'directory', 'file']) {
      const detail = 'Repository not found';
      expect(await world.refusal(at(kind, { path: '' }, 'plain'))).toEqual([404, detail]);
    }
    expect(await world.refusal(at('metadata', {}, 'nope'))).toEqual([404, 'Flow not found']);
  });
});

describe('graph-apps.md 7.2 /repo-directory', () => {
  test('a listing of the ref, not recursive; no ref is the default branch, a tag wins', async () => {
    const main = await (await world.get(at('directory', { path: 'dir' }))).json();
    expect(main).toEqual({
      path: ['dir'],
      branch: 'main',
      contents: [
        { path: ['dir'], name: 'a.csv', type: 'file' },
        { path: ['dir'], name: 'deeper', type: 'directory' },
      ],
    });
    expect(await names({ path: '' })).toEqual(['..odd', 'dir/', 'new\nline']);
    expect(await names({ path: '/', branch: 'main', tag: 'v1' })).toEqual(['..odd', 'dir/']);
    const tagged = await world.get(at('directory', { path: '', branch: 'nope', tag: 'v1' }));
    expect(await tagged.json()).toMatchObject({ branch: 'v1' });
  });

  test('a push shows at once', async () => {
    await git(work, 'switch', '--quiet', '--create', 'feature/ünï');
    await writeFile(join(work, 'pushed'), 'x');
    const id = await commit('pushed');
    await git(work, 'push', '--quiet', 'origin', 'HEAD');
    expect(await names({ path: '', branch: 'feature/ünï' })).toContain('pushed');
    expect(await names({ path: '', branch: id })).toContain('pushed');
    expect(await names({ path: '', branch: id.slice(0, 8) })).toContain('pushed');
    await git(work, 'switch', '--quiet', 'main');
  });

  test('404 unknown ref or path', async () => {
    const unknown = [404, 'Branch, tag or commit not found'];
    const odd = [
      'nope',
      'v1:',
      'main^',
      'main~1',
      'HEAD@{0}',
      'a..b',
      '',
      'f'.repeat(40),
      'refs/x',
    ];
    for (const branch of odd) {
      expect([branch, ...(await world.refusal(at('directory', { path: '', branch })))]).toEqual([
        branch,
        ...unknown,
      ]);
    }
    expect(await world.refusal(at('directory', { path: '', tag: 'nope' }))).toEqual(unknown);
    const path = 'dir/nope';
    expect(await world.refusal(at('directory', { path }))).toEqual([404, 'Directory not found']);
    expect(await world.refusal(at('directory', { path: 'dir/a.csv' }))).toEqual([
      400,
      'Not a directory',
    ]);
    for (const illegal of ['..', '../x', 'dir/../../x']) {
      const told = [400, `Illegal request path: ${illegal}`];
      expect(await world.refusal(at('directory', { path: illegal }))).toEqual(told);
    }
  });

  test('symbolic links are what they lead to in the commit; those that lead out or nowhere, and submodules, are left out', async () => {
    const links = join(work, 'links');
    await mkdir(links);
    await symlink('../dir', join(links, 'to-dir'));
    await symlink('to-dir/a.csv', join(links, 'to-file'));
    await symlink('/etc/passwd', join(links, 'absolute'));
    await symlink('../../../etc/passwd', join(links, 'out'));
    await symlink('no\nwhere\nblob', join(links, 'dangling'));
    await symlink('loop', join(links, 'loop'));
    await symlink('../dir/a.csv/x', join(links, 'below-a-file'));
    await symlink('../dir', join(links, 'zz-last'));
    await git(work, 'add', '--all');
    const id = await git(work, 'rev-parse', 'HEAD');
    await git(work, 'update-index', '--add', '--cacheinfo', `160000,${id},links/submodule`);
    await git(work, 'commit', '--quiet', '--message', 'links');
    await git(work, 'push', '--quiet', 'origin', 'main');
    expect(await names({ path: 'links' })).toEqual(['to-dir/', 'to-file', 'zz-last/']);
    expect(await names({ path: 'links/to-dir' })).toEqual(['a.csv', 'deeper/']);
    expect(await file({ path: 'links/to-dir/a.csv' })).toBe('c,d\n');
    for (const name of ['absolute', 'out', 'dangling', 'loop', 'submodule']) {
      const refusal = await world.refusal(at('file', { path: `links/${name}` }));
      expect(refusal).toEqual([404, 'File not found']);
    }
  });

  test('a directory, and refs, over the bound are refused', async () => {
    await mkdir(join(work, 'huge'));
    for (let i = 0; i < 61; i += 1) await writeFile(join(work, 'huge', `f${i}`), '');
    await commit('huge');
    await git(work, 'push', '--quiet', 'origin', 'main');
    const over = [400, 'Directory has over 60 entries'];
    expect(await world.refusal(at('directory', { path: 'huge' }))).toEqual(over);
    const many = await world.flow('many-refs');
    await git(many, 'clone', '--quiet', '--bare', bare, 'bare.git');
    const id = await git(work, 'rev-parse', 'HEAD');
    const packed = Array.from({ length: 61 }, (_, i) => `${id} refs/tags/t${i}\n`).join('');
    await appendFile(join(many, 'bare.git/packed-refs'), packed);
    const refusal = await world.refusal(at('metadata', {}, 'many-refs'));
    expect(refusal).toEqual([400, 'Repository has over 60 refs']);
  });
});

describe('graph-apps.md 7.2 /repo-file', () => {
  test('the raw blob of the ref, without filters; content type by name', async () => {
    expect(await file({ path: 'dir/a.csv', tag: 'v1' })).toBe('a,b\n');
    const response = await world.get(at('file', { path: 'dir/a.csv' }));
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['4', 'c,d\n']);
    expect(await file({ path: 'new\nline' })).toBe('lines');
    expect(await file({ path: '..odd' })).toBe('odd');
  });

  test('404 unknown ref or path; 400 Is a directory', async () => {
    expect(await world.refusal(at('file', { path: 'nope' }))).toEqual([404, 'File not found']);
    expect(await world.refusal(at('file', { path: '..odd', branch: 'nope' }))).toEqual([
      404,
      'Branch, tag or commit not found',
    ]);
    for (const path of ['', 'dir', 'dir/deeper/']) {
      expect(await world.refusal(at('file', { path }))).toEqual([400, 'Is a directory']);
    }
  });

  test('a huge blob is streamed', async () => {
    const size = 96 << 20;
    await writeFile(join(work, 'big.bin'), Buffer.alloc(size, 'x'));
    await commit('big');
    await git(work, 'push', '--quiet', 'origin', 'main');
    const response = await world.get(at('file', { path: 'big.bin' }));
    const before = process.memoryUsage.rss();
    let length = 0;
    let most = 0;
    for await (const chunk of response.body!) {
      length += (chunk as Uint8Array).length;
      most = Math.max(most, process.memoryUsage.rss());
    }
    expect(length).toBe(size);
    expect(most - before).toBeLessThan(0.75 * size);
  });
});

describe('graph-apps.md 7.2 /repo-check', () => {
  const status = async (flow: string): Promise<unknown> =>
    (await world.get(at('check', {}, flow))).json();

  test('normal, or error for any known flow that git cannot read', async () => {
    expect(await status('repo')).toEqual({ status: 'normal' });
    await world.flow('nothing');
    expect(await status('nothing')).toEqual({ status: 'error' });
    const broken = await world.flow('broken');
    await git(broken, 'clone', '--quiet', '--bare', bare, 'bare.git');
    await writeFile(join(broken, 'bare.git/packed-refs'), 'this is no ref');
    expect(await status('broken')).toEqual({ status: 'error' });
    const refusal = await world.refusal(at('metadata', {}, 'broken'));
    expect(refusal).toEqual([500, 'Repository cannot be read']);
    expect(await world.refusal(at('check', {}, 'nope'))).toEqual([404, 'Flow not found']);
  });
});

describe('git never reads request text as an option, and obeys no repository', () => {
  let evil: string;
  let mark: string;

  beforeAll(async () => {
    evil = join(await world.flow('evil'), 'bare.git');
    await git(world.root, 'clone', '--quiet', '--bare', bare, evil);
    mark = join(await temporaryFolder(), 'mark');
    const script = join(await temporaryFolder(), 'script');
    await writeFile(script, `#!/bin/sh\necho "$0 $@" >> ${mark}\n`);
    await chmod(script, 0o755);
    for (const hook of [
      'post-checkout',
      'reference-transaction',
      'pre-auto-gc',
      'post-index-change',
    ])
      await symlink(script, join(evil, 'hooks', hook));
    const settings = {
      'core.pager': script,
      'core.fsmonitor': script,
      'core.sshCommand': script,
      'core.hooksPath': join(evil, 'hooks'),
      'core.alternateRefsCommand': script,
      'diff.external': script,
      'credential.helper': script,
      'alias.cat-file': `!${script}`,
      'alias.ls-tree': `!${script}`,
      'pager.for-each-ref': script,
      'pager.cat-file': script,
      'filter.x.smudge': script,
      'extensions.partialClone': 'origin',
      'remote.origin.promisor': 'true',
      'remote.origin.url': `ext::${script}`,
    };
    await git(evil, 'config', 'core.repositoryFormatVersion', '1');
    for (const [name, value] of Object.entries(settings)) await git(evil, 'config', name, value);
  });

  test('option-like refs and paths are names', async () => {
    const texts = [
      '--help',
      '-h',
      '--output=/tmp/x',
      '--upload-pack=id',
      '-c',
      '--git-dir=/',
      '--',
    ];
    for (const text of texts) {
      const refs = [
        at('directory', { path: '', branch: text }),
        at('directory', { path: '', tag: text }),
        at('file', { path: 'x', branch: text }),
      ];
      for (const url of refs) {
        expect(await world.refusal(url)).toEqual([404, 'Branch, tag or commit not found']);
      }
      expect(await world.refusal(at('file', { path: text }))).toEqual([404, 'File not found']);
      expect(await world.refusal(at('directory', { path: text }))).toEqual([
        404,
        'Directory not found',
      ]);
    }
  });

  test('hooks, pagers, filters, helpers and aliases of a repository are never run', async () => {
    const asked = [
      at('metadata', {}, 'evil'),
      at('directory', { path: 'dir' }, 'evil'),
      at('file', { path: 'dir/a.csv' }, 'evil'),
      // An object that is not there would be fetched from the promisor.
      at('directory', { path: '', branch: 'e'.repeat(40) }, 'evil'),
      at('check', {}, 'evil'),
    ];
    const answers = [];
    for (const url of asked) answers.push((await world.get(url)).status);
    expect(answers).toEqual([200, 200, 200, 404, 200]);
    expect(await readdir(join(mark, '..'))).toEqual([]);
  });

  test('a repository that continues outside of the flow is none', async () => {
    const hidden = join(await temporaryFolder(), 'hidden.git');
    await git(world.root, 'clone', '--quiet', '--bare', bare, hidden);
    const linked = await world.flow('linked-repo');
    await symlink(hidden, join(linked, 'bare.git'));
    const objects = await world.flow('linked-objects');
    await git(objects, 'clone', '--quiet', '--bare', bare, 'bare.git');
    await rm(join(objects, 'bare.git/objects'), { recursive: true });
    await symlink(join(hidden, 'objects'), join(objects, 'bare.git/objects'));
    const alternates = await world.flow('alternates');
    await git(alternates, 'clone', '--quiet', '--bare', '--shared', bare, 'bare.git');
    const worktree = await world.flow('worktree');
    await writeFile(join(worktree, '.git'), `gitdir: ${hidden}\n`);
    for (const flow of ['linked-repo', 'linked-objects', 'alternates', 'worktree']) {
      const detail = 'Repository not found';
      expect(await world.refusal(at('metadata', {}, flow))).toEqual([404, detail]);
    }
  });
});

describe('graph-apps.md 7.1: git has 20 s', () => {
  test('one that hangs is ended, with what it has started', async () => {
    const own = await startWorld({ gitTimeout: 1000 });
    const hanging = await own.flow('hanging');
    await git(hanging, 'clone', '--quiet', '--bare', bare, 'bare.git');
    await rm(join(hanging, 'bare.git/packed-refs'), { force: true });
    execFileSync('mkfifo', [join(hanging, 'bare.git/packed-refs')]);
    const refusal = await own.refusal(at('metadata', {}, 'hanging'));
    expect(refusal).toEqual([504, 'git gave no answer in time']);
    await waitFor(async () => (await findProcesses(hanging)).length === 0);
    await own.stop();
  });
});

describe('graph-apps.md 7.1: remote flows', () => {
  let remote: { url: string; stop: () => Promise<void> };
  let upstream: string;

  beforeAll(async () => {
    upstream = join(await temporaryFolder(), 'up.git');
    await git(world.root, 'clone', '--quiet', '--bare', bare, upstream);
    await git(upstream, 'update-server-info');
    remote = await serveFolder((request, response) => {
      const path = new URL(request.url ?? '', 'http://x').pathname;
      readFile(join(upstream, '..', path)).then(
        (bytes) => response.end(bytes),
        () => response.writeHead(404).end(),
      );
    });
  });

  test('are read from the clone, fetched when the last fetch is too old, and stale while that fails', async () => {
    const own = await startWorld({ remotes: ['clone'], fetchEvery: 0 });
    const clone = await own.flow('clone');
    await git(clone, 'clone', '--quiet', `${remote.url}/up.git`, '.');
    await git(upstream, 'branch', 'later', 'main');
    await git(upstream, 'tag', 'v2', 'main');
    await git(upstream, 'update-server-info');
    const metadata = async () => {
      const response = await own.get('/clone/repo-metadata');
      return { stale: response.headers.get('x-glacis-stale'), body: await response.json() };
    };
    const before = {
      defaultBranch: 'main',
      branches: expect.arrayContaining(['later', 'main']),
      tags: ['v1', 'v2'],
    };
    expect(await metadata()).toEqual({ stale: null, body: before });
    await remote.stop();
    expect(await metadata()).toEqual({ stale: 'true', body: before });
    const listed = await own.get('/clone/repo-directory?path=dir&branch=later');
    expect([listed.status, listed.headers.get('x-glacis-stale')]).toEqual([200, 'true']);
    await own.stop();
  });

  test('one that the operator has not named is read and never fetched', async () => {
    const server: Server = createServer(() => {
      throw new Error('somebody has called');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const planted = await world.flow('planted');
    await git(planted, 'clone', '--quiet', bare, '.');
    const { port } = server.address() as { port: number };
    await git(planted, 'config', 'remote.origin.url', `http://127.0.0.1:${port}/x`);
    const response = await world.get(at('metadata', {}, 'planted'));
    expect([response.status, response.headers.get('x-glacis-stale')]).toEqual([200, 'true']);
    server.close();
  });
});
