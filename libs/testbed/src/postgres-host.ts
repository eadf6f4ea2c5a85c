/** The process that holds the embedded Postgres of `npm test`. */
import { createLogger } from '@glacis/observability';
import { startPostgres } from '@glacis/store';
import { join } from 'node:path';
import { holdRun } from './run-host.js';

/** The machine may crash under a test run; then nobody wants its databases. */
const volatile = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  autovacuum: 'off',
};

await holdRun(async (folder) => {
  const postgres = await startPostgres({
    dataDir: join(folder, 'database'),
    logger: createLogger({ name: 'testbed', level: 'warn' }),
    settings: volatile,
  });
  const url = new URL(postgres.url);
  const role = url.username;
  url.username = 'postgres';
  url.pathname = '/postgres';
  return { run: { adminUrl: url.href, role }, stop: () => postgres.stop() };
});
