import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a killed build leaves is removed after this time, in milliseconds; no build takes as long. */
const draftLifeMs = 3 * 3_600_000;
/** Of folders of which only the newest is needed, in milliseconds since the last use. */
const unusedLifeMs = 24 * 3_600_000;

/** `GLACIS_TESTBED_CACHE`, else `glacis/testbed` in the user's cache folder (XDG base directory specification). */
export function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return process.env.GLACIS_TESTBED_CACHE || join(base, 'glacis', 'testbed');
}

/**
 * A folder that is built once and kept. It is built under another name and then renamed, so what is there is whole,
 * whoever is killed meanwhile; of two that build at once the first one wins.
 * @param name tells version and recipe, such as `kafka-4.3.1`
 */
export async function cached(
  name: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (await exists(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  await removeOldDrafts(dirname(folder));
  const draft = await mkdtemp(`${folder}.draft-`);
  try {
    await build(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(folder))) throw error;
  }
  return folder;
}

/**
 * Says that a folder is used, and removes the others of this kind that nobody has used for a day.
 * @param prefix of their names
 */
export async function removeUnused(prefix: string, folder: string): Promise<void> {
  const parent = dirname(folder);
  const now = new Date();
  await utimes(folder, now, now);
  const others = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  await removeOlder(parent, others, unusedLifeMs);
}

async function removeOldDrafts(parent: string): Promise<void> {
  const drafts = (await readdir(parent)).filter((name) => name.includes('.draft-'));
  await removeOlder(parent, drafts, draftLifeMs);
}

async function removeOlder(parent: string, names: string[], lifeMs: number): Promise<void> {
  for (const path of names.map((name) => join(parent, name))) {
    const made = await stat(path).catch(() => null);
    const old = made !== null && Date.now() - made.mtimeMs > lifeMs;
    if (old) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
