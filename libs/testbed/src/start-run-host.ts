import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { announceRun, type TestRun } from './run.js';

declare global {
  /** For the global teardown, which Jest calls in the same process. */
  var glacisRunHost: ChildProcess | undefined;
}

/** Starts the process that holds the components of a test run, and tells the tests of them. */
export async function startRunHost(program: URL): Promise<void> {
  // In a process group of its own, so that Ctrl-C leaves it the time to clean up.
  const host = spawn(process.execPath, [fileURLToPath(program)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await Promise.race([
    once(createInterface(host.stdout), 'line'),
    once(host, 'exit').then(([code]) => {
      throw new Error(`the components of the tests did not start (exit code ${String(code)})`);
    }),
  ])) as [string];
  announceRun(JSON.parse(line) as TestRun);
  globalThis.glacisRunHost = host;
}
