import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { announceRun, type TestRun } from './run.js';

declare global {
  var glacisPostgresHost: ChildProcess | undefined;
}

/** Jest's `globalSetup`: one Postgres and one folder for the whole run. */
export default async function globalSetup(): Promise<void> {
  const program = fileURLToPath(new URL('./postgres-host.js', import.meta.url));
  // In a process group of its own, so that Ctrl-C leaves it the time to clean up.
  const host = spawn(process.execPath, [program], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await Promise.race([
    once(createInterface(host.stdout), 'line'),
    once(host, 'exit').then(([code]) => {
      throw new Error(`the database of the tests did not start (exit code ${String(code)})`);
    }),
  ])) as [string];
  announceRun(JSON.parse(line) as TestRun);
  globalThis.glacisPostgresHost = host;
}
