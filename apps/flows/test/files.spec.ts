import { execFileSync } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { waitFor } from '@glacis/runtime';
import { startWorld, type World } from './world.js';

let world: World;
let flow: string;

beforeAll(async () => {
  world = await startWorld({ maxEntries: 40 });
  flow = await world.flow('ns-g-data');
  await mkdir(join(flow, 'sub/deeper'), { recursive: true });
  await mkdir(join(flow, '..odd'));
  await writeFile(join(flow, '..odd/x.txt'), 'odd');
  await writeFile(join(flow, 'b.csv'), 'a,b\n1,2\n');
  await writeFile(join(flow, 'sub/page.html'), '<script>alert(1)</script>');
  await writeFile(join(world.root, 'secret'), 'out of reach');
  await symlink('sub', join(flow, 'to-sub'));
  await symlink('b.csv', join(flow, 'to-file'));
});

afterAll(() => world.stop());

const directory = async (path: string): Promise<unknown> =>
  (await world.get(`/ns-g-data/directory?path=${encodeURIComponent(path)}`)).json();
const at = (kind: string, path: string): string =>
  `/ns-g-data/${kind}?path=${encodeURIComponent(path)}`;

describe('graph-apps.md 7.1', () => {
  test('a flow is a direct entry of the root with a name of the pattern, else 404 Flow not found', async () => {
    await symlink('ns-g-data', join(world.root, 'linked'));
    await mkdir(join(world.root, 'Upper'));
    const names = [
      'absent',
      'secret',
      'linked',
      'Upper',
      '-x',
      'x-',
      '..',
      '.',
      '%2e%2e',
      'ns-g-data%2Fsub',
    ];
    for (const name of names) {
      // `fetch` would resolve dots itself.
      const path = name.replaceAll('.', '%2e');
      expect([name, ...(await world.refusal(`/${path}/directory?path=`))]).toEqual(
        /^(\.|%2e)+$/.test(name) ? [name, 404, expect.any(String)] : [name, 404, 'Flow not found'],
      );
    }
  });

  test('a path whose first segment is .. is refused; names like ..odd are served', async () => {
    for (const path of ['..', '../secret', '/../secret', 'sub/../../secret', '..//..']) {
      for (const kind of ['directory', 'file']) {
        expect(await world.refusal(at(kind, path))).toEqual([400, `Illegal request path: ${path}`]);
      }
    }
    expect(await (await world.get(at('file', '..odd/x.txt'))).text()).toBe('odd');
    expect(await (await world.get(at('file', '///sub/../b.csv'))).text()).toBe('a,b\n1,2\n');
  });

  test('a path out of the flow by a symbolic link is the same 400; within it links are followed', async () => {
    const out = join(flow, 'out');
    await mkdir(out);
    await symlink('/etc', join(out, 'etc'));
    await symlink('../../secret', join(out, 'secret'));
    await symlink('etc/hostname', join(out, 'twice'));
    await symlink(join(world.root, 'ns-g-data-other'), join(out, 'prefix'));
    await mkdir(join(world.root, 'ns-g-data-other'));
    for (const path of ['out/etc', 'out/etc/passwd', 'out/secret', 'out/twice', 'out/prefix']) {
      expect(await world.refusal(at('file', path))).toEqual([400, `Illegal request path: ${path}`]);
    }
    expect(await world.refusal(at('directory', 'out/etc'))).toEqual([
      400,
      'Illegal request path: out/etc',
    ]);
    expect(await (await world.get(at('file', 'to-sub/page.html'))).text()).toContain('<script>');
  });

  test('a directory that is swapped for a link out while it is asked for never shows what is outside', async () => {
    const [good, evil, name] = ['swap-good', 'swap-evil', 'swap'].map((each) => join(flow, each));
    await mkdir(good!);
    await writeFile(join(good!, 'secret'), 'inside');
    await symlink(world.root, evil!);
    await rename(good!, name!);
    const over = new AbortController();
    const swapping = (async () => {
      for (let turn = 0; !over.signal.aborted; turn += 1) {
        await rename(name!, turn % 2 === 0 ? good! : evil!);
        await rename(turn % 2 === 0 ? evil! : good!, name!);
      }
    })();
    const seen = new Set<string>();
    for (let i = 0; i < 300; i += 1) {
      seen.add(await (await world.get(at('file', 'swap/secret'))).text());
    }
    over.abort();
    await swapping;
    expect([...seen].filter((text) => text.includes('out of reach'))).toEqual([]);
  });

  test('a missing query parameter is a 422', async () => {
    for (const kind of ['directory', 'file', 'repo-directory', 'repo-file']) {
      const detail = 'The query parameter path is missing';
      expect(await world.refusal(`/ns-g-data/${kind}`)).toEqual([422, detail]);
    }
  });

  test('errors are problems; other methods and paths are refused', async () => {
    const response = await world.get(at('file', 'nope'));
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: 'https://glacis.dev/problems/not-found',
      title: 'Not Found',
      status: 404,
      detail: 'File not found',
      instance: '/api/v1/app/flows_service/ns-g-data/file',
      code: 'not-found',
    });
    const posted = await world.get(at('file', 'b.csv'), { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    for (const path of ['/ns-g-data/directory/?path=', '/ns-g-data', '/%ff/file?path=']) {
      expect((await world.get(path)).status).toBe(404);
    }
  });
});

describe('graph-apps.md 7.2 /directory', () => {
  test('the root is [], sorted by name, each entry with the segments of the directory', async () => {
    expect(await directory('')).toMatchObject({ path: [] });
    await mkdir(join(flow, 'list/in'), { recursive: true });
    for (const name of ['b', 'a', 'B', 'é', '\u{1f600}', '\uffee', 'line\nfeed', 'q"uote']) {
      await writeFile(join(flow, 'list/in', name), '');
    }
    await mkdir(join(flow, 'list/in/c'));
    const entry = (name: string, type = 'file') => ({ path: ['list', 'in'], name, type });
    expect(await directory('list/./in/')).toEqual({
      path: ['list', 'in'],
      contents: [
        entry('B'),
        entry('a'),
        entry('b'),
        entry('c', 'directory'),
        entry('line\nfeed'),
        entry('q"uote'),
        entry('é'),
        entry('\uffee'),
        entry('\u{1f600}'),
      ],
    });
  });

  test('entries that point outside or nowhere are left out, and so is what is neither file nor directory', async () => {
    const kinds = join(flow, 'kinds');
    await mkdir(kinds);
    await symlink('/etc/passwd', join(kinds, 'outside'));
    await symlink('nowhere', join(kinds, 'dangling'));
    await symlink('loop', join(kinds, 'loop'));
    await symlink('../b.csv', join(kinds, 'to-file'));
    await symlink('..', join(kinds, 'to-directory'));
    execFileSync('mkfifo', [join(kinds, 'fifo')]);
    await symlink('fifo', join(kinds, 'to-fifo'));
    const server = createServer().listen(join(kinds, 'socket'));
    expect(await directory('kinds')).toEqual({
      path: ['kinds'],
      contents: [
        { path: ['kinds'], name: 'to-directory', type: 'directory' },
        { path: ['kinds'], name: 'to-file', type: 'file' },
      ],
    });
    expect(await world.refusal(at('file', 'kinds/fifo'))).toEqual([404, 'File not found']);
    expect(await world.refusal(at('file', 'kinds/to-fifo'))).toEqual([404, 'File not found']);
    expect(await world.refusal(at('directory', 'kinds/fifo'))).toEqual([400, 'Not a directory']);
    expect(await world.refusal(at('file', 'kinds/loop'))).toEqual([404, 'File not found']);
    server.close();
  });

  test('404 Directory not found; 400 Not a directory', async () => {
    const long = 'x'.repeat(300);
    for (const path of ['nope', 'b.csv/x', 'sub/nope/../x', long]) {
      expect(await world.refusal(at('directory', path))).toEqual([404, 'Directory not found']);
    }
    expect(await world.refusal(at('directory', 'b.csv'))).toEqual([400, 'Not a directory']);
  });

  test('a name that is not UTF-8 is shown with U+FFFD, and does not end the listing', async () => {
    await mkdir(join(flow, 'bytes'));
    const name = Buffer.concat([Buffer.from(`${flow}/bytes/x`), Buffer.from([0xff, 0xfe])]);
    await (await open(name, 'w')).close();
    const linked = Buffer.concat([Buffer.from(`${flow}/bytes/y`), Buffer.from([0xff])]);
    await symlink(name, linked);
    expect(await directory('bytes')).toMatchObject({
      contents: [{ name: 'x\ufffd\ufffd' }, { name: 'y\ufffd', type: 'file' }],
    });
  });

  test('a directory over the bound is refused, whatever its entries are', async () => {
    await mkdir(join(flow, 'huge'));
    for (let i = 0; i < 40; i += 1) await writeFile(join(flow, 'huge', `f${i}`), '');
    expect((await world.get(at('directory', 'huge'))).status).toBe(200);
    await symlink('/etc/passwd', join(flow, 'huge/one-more'));
    expect(await world.refusal(at('directory', 'huge'))).toEqual([
      400,
      'Directory has over 40 entries',
    ]);
  });
});

describe('graph-apps.md 7.2 /file', () => {
  test('raw bytes, content type by name, for HEAD as for GET', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 0]);
    await writeFile(join(flow, 'raw.bin'), bytes);
    const response = await world.get(at('file', 'raw.bin'));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('content-length')).toBe('5');
    const head = await world.get(at('file', 'b.csv'), { method: 'HEAD' });
    expect(head.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['8', '']);
    await writeFile(join(flow, 'empty'), '');
    const empty = await world.get(at('file', 'empty'));
    expect([empty.status, await empty.text()]).toEqual([200, '']);
  });

  test('a page that somebody has put there runs no script in the origin of the door', async () => {
    const { headers } = await world.get(at('file', 'sub/page.html'));
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toBe('sandbox');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('ranges', async () => {
    const ask = (headers: Record<string, string>) => world.get(at('file', 'b.csv'), { headers });
    const part = await ask({ range: 'bytes=4-6' });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 4-6/8',
      '1,2',
    ]);
    const beyond = await ask({ range: 'bytes=8-' });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */8']);
    const etag = part.headers.get('etag') ?? '';
    expect((await ask({ range: 'bytes=0-0', 'if-range': etag })).status).toBe(206);
    expect((await ask({ range: 'bytes=0-0', 'if-range': '"other"' })).status).toBe(200);
    await link(join(flow, 'b.csv'), join(flow, 'b2.csv'));
  });

  test('404 File not found; 400 Is a directory; 403 what may not be read', async () => {
    expect(await world.refusal(at('file', 'nope'))).toEqual([404, 'File not found']);
    expect(await world.refusal(at('file', 'b.csv/x'))).toEqual([404, 'File not found']);
    for (const path of ['', 'sub', 'to-sub']) {
      expect(await world.refusal(at('file', path))).toEqual([400, 'Is a directory']);
    }
    await writeFile(join(flow, 'denied'), 'x');
    await chmod(join(flow, 'denied'), 0);
    const denied = await world.get(at('file', 'denied'));
    // Root may read all.
    expect(denied.status).toBe(process.getuid?.() === 0 ? 200 : 403);
  });

  test('a huge file is streamed; one that becomes shorter breaks off; nothing stays open', async () => {
    const huge = join(flow, 'huge.bin');
    await writeFile(huge, '');
    const size = 192 << 20;
    await truncate(huge, size);
    let most = 0;
    const before = process.memoryUsage.rss();
    let length = 0;
    const whole = await world.get(at('file', 'huge.bin'));
    for await (const chunk of whole.body!) {
      length += (chunk as Uint8Array).length;
      most = Math.max(most, process.memoryUsage.rss());
    }
    expect(length).toBe(size);
    expect(most - before).toBeLessThan((size * 3) / 4);
    const cut = await world.get(at('file', 'huge.bin'));
    const reader = cut.body!.getReader();
    await reader.read();
    await truncate(huge, 1000);
    const rest = (async () => {
      for (;;) if ((await reader.read()).done) return;
    })();
    await expect(rest).rejects.toThrow('terminated');
    const left = await world.get(at('file', 'sub/page.html'), { method: 'HEAD' });
    expect(left.status).toBe(200);
    await rm(huge);
    await waitFor(async () => (await openPlaces()).length === 0);
  });
});

/** What this process has open of the flow. */
async function openPlaces(): Promise<string[]> {
  const { readlinkSync } = await import('node:fs');
  const links = (await readdir('/proc/self/fd')).map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((path) => path.startsWith(world.root));
}
