import { waitFor } from '@glacis/runtime';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { findProcesses } from './processes.js';
import { currentRun } from './run.js';

/** Jest's `globalTeardown`: ends the Postgres of the run and fails the run if anything of it is left. */
export default async function globalTeardown(): Promise<void> {
  const host = globalThis.glacisPostgresHost;
  if (!host) {
    return;
  }
  const { folder } = currentRun();
  const exit = once(host, 'exit');
  host.stdin?.end();
  await exit;
  // What the last test stopped may take a moment to go.
  const left = await waitFor(async () => (await findProcesses(folder)).length === 0, {
    deadlineMs: 5_000,
  }).then(
    () => [],
    () => findProcesses(folder),
  );
  if (left.length > 0 || existsSync(folder)) {
    const processes = left.map(({ pid, command }) => `process ${pid}: ${command}`);
    throw new Error(`the test run left something behind in ${folder}\n${processes.join('\n')}`);
  }
}
