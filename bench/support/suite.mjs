// The suite for benchmarks and fault runs: the built program, as `npm start` runs it, on a throw-away data folder.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts the program on `dataDir` and waits for its ready line. `child` is the process itself. */
export async function startOn(dataDir, env = {}) {
  const began = performance.now();
  const child = spawn(process.execPath, ['apps/glacis/dist/main.js'], {
    env: {
      ...process.env,
      NODE_ENV: 'production',
      GLACIS_DATA_DIR: dataDir,
      GLACIS_PORT: '0',
      GLACIS_BACKENDS_MANAGER_PORT: '0',
      GLACIS_BACKENDS_AGENT_PORT: '0',
      GLACIS_CERTS_EST_PORT: '0',
      GLACIS_JOBS_AGENTS_PORT: '0',
      GLACIS_HTTP_CALLER_RATE: '1000000/s',
      GLACIS_HTTP_CALLER_BURST: '1000000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const [, door, managers] = /door (http:\S+?), managers (\S+?),/.exec(line) ?? [];
    if (!door) continue;
    child.stdout.resume();
    const token = (await readFile(join(dataDir, 'admin.token'), 'utf8')).trim();
    return { child, exited, door, managers, token, readyMs: performance.now() - began };
  }
  throw new Error('the suite did not start');
}

/** Runs `work` with a fresh suite; whatever happens, nothing of it is left afterwards. */
export async function withSuite(work, env = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'glacis-bench-'));
  let suite;
  try {
    suite = await startOn(join(dir, 'data'), env);
    return await work(suite);
  } finally {
    suite?.child.kill('SIGTERM');
    await suite?.exited;
    await rm(dir, { recursive: true, force: true });
  }
}

/** A call of the REST API that has to succeed; gives the `Response`. */
export async function call({ door, token }, method, path, body) {
  const response = await fetch(door + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.ok) return response;
  throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}
