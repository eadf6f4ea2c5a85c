import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { currentRun } from './run.js';

/** A new empty folder, mode 0700, which is removed with everything in it when the test run ends. */
export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(currentRun().folder, 't-'));
}
