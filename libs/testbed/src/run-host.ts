import { waitFor } from '@glacis/runtime';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcesses } from './processes.js';
import type { TestRun } from './run.js';

export interface RunComponents {
  run: Omit<TestRun, 'folder'>;
  stop(): Promise<void>;
}

/**
 * The life of a process that holds the components and the folder of a test run: prints the run as one JSON line when
 * it is ready. Once its standard input ends, also because the test run was killed, it removes everything; it exits
 * with 1 if tests had left processes running.
 * @param start gets the folder, which is the one for temporary files as well
 */
export async function holdRun(start: (folder: string) => Promise<RunComponents>): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'glacis-test-')));
  try {
    // Databases do not run as root and have to pass through.
    await chmod(folder, 0o711);
    process.env.TMPDIR = folder;
    const components = await start(folder);
    process.stdout.write(`${JSON.stringify({ ...components.run, folder } satisfies TestRun)}\n`);
    await new Promise((resolve) => process.stdin.on('close', resolve).resume());
    await components.stop();
    process.exitCode = (await endLeftovers(folder)) ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the last test stopped may take a moment to go; what is there after that was forgotten, and is killed. */
async function endLeftovers(mark: string): Promise<boolean> {
  const gone = await waitFor(async () => (await findProcesses(mark)).length === 0, {
    deadlineMs: 15_000,
  }).catch(() => false);
  const left = gone ? [] : await findProcesses(mark);
  for (const { pid, command } of left) {
    process.stderr.write(`left running by the tests and killed: ${pid} ${command}\n`);
    process.kill(pid, 'SIGKILL');
  }
  return left.length > 0;
}
