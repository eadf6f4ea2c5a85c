// The jobs service for fault runs and benchmarks: its own program, on a Postgres and a data folder of its own.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startPostgres, withConnection } from '@glacis/store';
import { createLogger } from '@glacis/observability';

/** Runs `work` with a place where services can be started; whatever happens, nothing of it is left afterwards. */
export async function withPlace(work) {
  const folder = await mkdtemp(join(tmpdir(), 'glacis-bench-jobs-'));
  await writeFile(join(folder, 'secret'), randomBytes(32));
  const logger = createLogger({ name: 'bench', level: 'error' });
  const postgres = await startPostgres({ dataDir: join(folder, 'data'), logger });
  const place = { folder, url: postgres.url, services: new Set() };
  try {
    return await work(place);
  } finally {
    for (const service of place.services) service.child.kill('SIGKILL');
    for (const service of place.services) await service.exited;
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts the service; resolves when it is ready. */
export async function startService(place, env = {}) {
  const child = spawn(process.execPath, ['apps/jobs/dist/main.js'], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: place.url,
      GLACIS_HOST: '127.0.0.1',
      GLACIS_LOG_LEVEL: 'error',
      GLACIS_JOBS_HTTP_PORT: '0',
      GLACIS_JOBS_AGENTS_PORT: '0',
      GLACIS_JOBS_DATA_DIR: join(place.folder, 'jobs'),
      GLACIS_JOBS_SECRET_FILE: join(place.folder, 'secret'),
      // Nobody has a token; without an issuer it would not start.
      GLACIS_TOKENS_OLDER_KEY: randomBytes(32).toString('hex'),
      GLACIS_JOBS_OPEN_JOBS: '10000',
      GLACIS_HTTP_CALLER_RATE: '1000000/s',
      GLACIS_HTTP_CALLER_BURST: '1000000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const service = { child, exited: new Promise((resolve) => child.once('exit', resolve)) };
  place.services.add(service);
  void service.exited.then(() => place.services.delete(service));
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = /jobs is ready: http (http:[^\s,]+)/.exec(line) ?? [];
    if (url === undefined) continue;
    child.stdout.resume();
    return Object.assign(service, { url });
  }
  throw new Error('the service did not start');
}

/** Rows of a query on the schema of the service. */
export function rowsOf({ url }, sql, params = []) {
  return withConnection({ connectionString: url }, async (connection) => {
    await connection.query('SET search_path TO jobs');
    return connection.query(sql, params);
  });
}
