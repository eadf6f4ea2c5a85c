import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What computes: this program, the engine and the forms of shares. */
const parts = ['@glacis/mpc', '@glacis/shares'];

/** Digest of the program that runs here, the same wherever the same files are (jobs.md 3.1, `engine`). */
export async function programDigest(): Promise<string> {
  const own = dirname(dirname(fileURLToPath(import.meta.url)));
  const others = parts.map((name) => dirname(fileURLToPath(import.meta.resolve(name))));
  const hash = createHash('sha256');
  for (const [index, folder] of [own, ...others].entries())
    for (const file of await filesOf(folder)) {
      const content = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      hash.update(`${index} ${relative(folder, file)} ${content}\n`);
    }
  return `sha256:${hash.digest('hex')}`;
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const lists = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesOf(path);
      return entry.name.endsWith('.js') ? [path] : [];
    }),
  );
  return lists.flat().toSorted();
}
