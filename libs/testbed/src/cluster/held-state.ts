import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProcesses } from '../processes.js';
import { cacheFolder } from './cache.js';

/** Where the addresses of what `up` has started stand, and by which its process is found. */
export const stateFile = (): string => join(cacheFolder(), 'up.json');

/** For whoever uses what runs. */
export interface HeldState {
  /** Variables to set. */
  env: Record<string, string>;
  /** Commands to go on with. */
  hints: string[];
}

/** What runs since `up`. Null when nothing does. */
export async function readState(): Promise<HeldState | null> {
  const [holder] = await findHolders();
  const text = await readFile(stateFile(), 'utf8').catch(() => null);
  if (!holder || text === null) return null;
  return JSON.parse(text) as HeldState;
}

/** The processes, at most one, that hold components or are about to. */
export async function findHolders(): Promise<number[]> {
  const found = await findProcesses(`hold.js ${stateFile()}`.replaceAll(' ', '\0'));
  return found.map(({ pid }) => pid);
}

export async function writeState({ env, hints }: HeldState): Promise<void> {
  await mkdir(dirname(stateFile()), { recursive: true });
  // Holds the password of the database.
  await writeFile(`${stateFile()}.new`, JSON.stringify({ env, hints }), { mode: 0o600 });
  await rename(`${stateFile()}.new`, stateFile());
}

export async function removeState(): Promise<void> {
  await rm(stateFile(), { force: true });
}
