import { createLogger } from '@glacis/observability';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startPostgres } from '../src/index.js';

const run = promisify(execFile);

export const logger = createLogger({ name: 'test', level: 'silent' });

/** A data folder that does not exist yet; it lies in the test run's folder, and goes with it. */
export function newDataDir(): string {
  return join(tmpdir(), `data-${randomUUID().slice(0, 8)}`);
}

let made: Promise<string> | undefined;

/** A data folder whose database was made by an earlier start; a copy of one that is made once. */
export async function usedDataDir(): Promise<string> {
  made ??= makeOnce();
  const dataDir = newDataDir();
  await mkdir(dataDir, { mode: 0o711 });
  await run('cp', ['-a', join(await made, 'postgres'), dataDir]);
  return dataDir;
}

async function makeOnce(): Promise<string> {
  const dataDir = newDataDir();
  await (await startPostgres({ dataDir, logger })).stop();
  return dataDir;
}

/** Another process that holds the embedded Postgres of a folder. */
export async function holdPostgres(dataDir: string): Promise<{ child: ChildProcess; url: string }> {
  const child = startHolder(dataDir);
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  return { child, url: (JSON.parse(line) as { url: string }).url };
}

export function startHolder(dataDir: string): ChildProcess {
  const program = fileURLToPath(new URL('hold-postgres.mjs', import.meta.url));
  return spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
}

export async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
