import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processStart } from './process-identity.js';

/**
 * Another living process works on the data folder. Stop that process, or choose another folder; a process that was
 * killed leaves nothing to clear.
 */
export class DataFolderInUseError extends Error {
  readonly code = 'data_folder_in_use';

  constructor(
    readonly folder: string,
    readonly pid: number,
  ) {
    super(`the data folder ${folder} is in use by process ${pid}`);
  }
}

export interface FolderLock {
  release(): Promise<void>;
}

interface Owner {
  pid: number;
  started: string;
}

const nobody: Owner = { pid: 0, started: '' };

/**
 * Makes this process the only one that works on `folder`, by the file `lock.<n>` that names its pid and start time.
 * A lock whose process is gone is not removed but outbid by number n + 1, which only one contender can create; so
 * the take-over is atomic, and the highest number alone counts.
 * @throws {DataFolderInUseError} when the owner lives
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const me: Owner = { pid: process.pid, started: (await processStart(process.pid)) ?? '' };
  for (;;) {
    const latest = Math.max(0, ...(await generations(folder)));
    await refuseIfOwned(folder, latest);
    if (await outbid(folder, latest + 1, me)) {
      return { release: () => writeLock(folder, latest + 1, nobody) };
    }
  }
}

const fileOf = (folder: string, generation: number): string => join(folder, `lock.${generation}`);

async function generations(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names.flatMap((name) => (/^lock\.\d+$/.test(name) ? [Number(name.slice(5))] : []));
}

async function refuseIfOwned(folder: string, generation: number): Promise<void> {
  const owner = await readOwner(fileOf(folder, generation));
  if (owner.pid > 0 && (await processStart(owner.pid)) === owner.started) {
    throw new DataFolderInUseError(folder, owner.pid);
  }
}

/** A lock file that a power cut left empty belongs to nobody. */
async function readOwner(file: string): Promise<Owner> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return nobody;
  }
}

async function outbid(folder: string, generation: number, me: Owner): Promise<boolean> {
  const draft = await writeDraft(folder, me);
  try {
    await link(draft, fileOf(folder, generation));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const all = await generations(folder);
  // Somebody may have outbid the file that was seen as the latest while it was read.
  const won = all.every((each) => each <= generation);
  const surplus = won ? all.filter((each) => each < generation) : [generation];
  await Promise.all(surplus.map((each) => rm(fileOf(folder, each), { force: true })));
  return won;
}

async function writeDraft(folder: string, owner: Owner): Promise<string> {
  const draft = join(folder, `lock-${randomUUID()}`);
  await writeFile(draft, `${JSON.stringify(owner)}\n`, { mode: 0o600, flag: 'wx' });
  return draft;
}

async function writeLock(folder: string, generation: number, owner: Owner): Promise<void> {
  await rename(await writeDraft(folder, owner), fileOf(folder, generation));
}
