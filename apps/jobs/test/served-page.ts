import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { temporaryFolder } from '@glacis/testbed';
import type { Stand } from './stand.js';

/** Every module that the owner page loads, from its entry on, by its path. */
export async function servedModules(stand: Stand): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const missing = ['page/main.js'];
  for (let name = missing.pop(); name !== undefined; name = missing.pop()) {
    const { status, headers, text } = await stand.send('GET', `/ui/jobs/shares/${name}`);
    expect([name, status, headers['content-type']]).toEqual([
      name,
      200,
      'text/javascript; charset=utf-8',
    ]);
    texts.set(name, text);
    for (const [, path = ''] of text.matchAll(
      /^(?:import|export)\b[^'";]*from\s*['"]([^'"]+)['"]/gm,
    )) {
      expect(path).toMatch(/^\.{1,2}\//);
      const next = join(dirname(name), path);
      if (!texts.has(next)) missing.push(next);
    }
  }
  return texts;
}

/** The same in a folder, for Node. */
export async function folderOf(modules: ReadonlyMap<string, string>): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  for (const [name, text] of modules) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}
