import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProcesses } from '../processes.js';
import { cacheFolder } from './cache.js';

/** Where the addresses of what `up` has started stand, and by which its process is found. */
export const stateFile = (): string => join(cacheFolder(), 'up.json');

/** What runs since `up`: the process that holds it, and the variables to set. Null when nothing does. */
export async function readState(): Promise<{ pid: number; env: Record<string, string> } | null> {
  const [holder] = await findHolders();
  const text = await readFile(stateFile(), 'utf8').catch(() => null);
  if (!holder || text === null) return null;
  return { pid: holder, env: JSON.parse(text) as Record<string, string> };
}

/** The processes, at most one, that hold components or are about to. */
export async function findHolders(): Promise<number[]> {
  const found = await findProcesses(`hold.js ${stateFile()}`.replaceAll(' ', '\0'));
  return found.map(({ pid }) => pid);
}

export async function writeState(env: Record<string, string>): Promise<void> {
  await mkdir(dirname(stateFile()), { recursive: true });
  // Holds the password of the database.
  await writeFile(`${stateFile()}.new`, JSON.stringify(env), { mode: 0o600 });
  await rename(`${stateFile()}.new`, stateFile());
}

export async function removeState(): Promise<void> {
  await rm(stateFile(), { force: true });
}
