/**
 * A process that holds the Postgres and the folder of a test run: prints the run as one JSON line when it is ready.
 * Once its standard input ends, also because the test run was killed, it removes everything, and exits with 1 if
 * tests had left processes running.
 */
import { createLogger } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { startPostgres } from '@glacis/store';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProcesses } from './processes.js';
import type { TestRun } from './run.js';

/** The machine may crash under a test run; then nobody wants its databases. */
const volatile = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  autovacuum: 'off',
};

/** What the last test stopped may take a moment to go; what is there after that was forgotten, and is killed. */
async function endLeftovers(mark: string): Promise<boolean> {
  const gone = await waitFor(async () => (await findProcesses(mark)).length === 0, {
    deadlineMs: 2_000,
  }).catch(() => false);
  const left = gone ? [] : await findProcesses(mark);
  for (const { pid, command } of left) {
    process.stderr.write(`left running by the tests and killed: ${pid} ${command}\n`);
    process.kill(pid, 'SIGKILL');
  }
  return left.length > 0;
}

const folder = await realpath(await mkdtemp(join(tmpdir(), 'glacis-test-')));
try {
  await chmod(folder, 0o711);
  const postgres = await startPostgres({
    dataDir: join(folder, 'database'),
    logger: createLogger({ name: 'testbed', level: 'warn' }),
    settings: volatile,
  });
  const url = new URL(postgres.url);
  const role = url.username;
  url.username = 'postgres';
  url.pathname = '/postgres';
  const run: TestRun = { folder, adminUrl: url.href, role };
  process.stdout.write(`${JSON.stringify(run)}\n`);
  await new Promise((resolve) => process.stdin.on('close', resolve).resume());
  await postgres.stop();
  process.exitCode = (await endLeftovers(folder)) ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}
