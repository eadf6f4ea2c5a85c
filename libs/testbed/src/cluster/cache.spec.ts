import { mkdir, mkdtemp, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, removeUnused } from './cache.js';
import { requireProgram } from './programs.js';

describe('the cache', () => {
  const cacheOf = async (): Promise<string> => {
    process.env.GLACIS_TESTBED_CACHE = await mkdtemp(join(tmpdir(), 'cache-'));
    return process.env.GLACIS_TESTBED_CACHE;
  };

  afterEach(() => {
    delete process.env.GLACIS_TESTBED_CACHE;
  });

  it('is filled once, whole, also when two fetch at once', async () => {
    const folder = await cacheOf();
    let builds = 0;
    const build = async (draft: string): Promise<void> => {
      builds += 1;
      await writeFile(join(draft, 'file'), 'whole');
    };
    const both = await Promise.all([cached('x-1', build), cached('x-1', build)]);
    expect(both).toEqual([join(folder, 'x-1'), join(folder, 'x-1')]);
    const before = builds;
    await cached('x-1', build);
    expect(builds).toBe(before);
    expect(await readFile(join(folder, 'x-1', 'file'), 'utf8')).toBe('whole');
    expect(await readdir(folder)).toEqual(['x-1']);
  });

  it('takes no failed build, nor the draft that a killed one has left', async () => {
    const folder = await cacheOf();
    await mkdir(join(folder, 'x-1.draft-abc'));
    const fails = cached('x-1', async () => Promise.reject(new Error('no network')));
    await expect(fails).rejects.toThrow('no network');
    await cached('x-1', async () => undefined);
    expect((await stat(join(folder, 'x-1'))).isDirectory()).toBe(true);
  });

  it('keeps of a kind the one in use, and those that were used not long ago', async () => {
    const folder = await cacheOf();
    const long = new Date(Date.now() - 48 * 3_600_000);
    for (const name of ['x-old', 'x-used', 'x-new', 'y-old']) await mkdir(join(folder, name));
    for (const name of ['x-old', 'x-used', 'y-old']) await utimes(join(folder, name), long, long);
    await removeUnused('x-', join(folder, 'x-used'));
    expect(await readdir(folder)).toEqual(['x-new', 'x-used', 'y-old']);
  });

  it('names the Debian package of a program that is missing', async () => {
    await expect(requireProgram('no-such-program', 'some-package')).rejects.toThrow(
      'no-such-program is missing: apt-get install some-package',
    );
  });
});
