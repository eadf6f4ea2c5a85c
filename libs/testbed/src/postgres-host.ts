/**
 * A process that holds the Postgres and the folder of a test run: prints the run as one JSON line when it is ready,
 * and removes everything once its standard input ends. That happens too when the test run is killed.
 */
import { createLogger } from '@glacis/observability';
import { startPostgres } from '@glacis/store';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestRun } from './run.js';

/** The machine may crash under a test run; then nobody wants its databases. */
const volatile = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  autovacuum: 'off',
};

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
} finally {
  await rm(folder, { recursive: true, force: true });
}
