import { createLogger } from '@glacis/observability';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const logger = createLogger({ name: 'test', level: 'silent' });

/** A data folder that does not exist yet; it lies in the test run's folder, and goes with it. */
export function newDataDir(): string {
  return join(tmpdir(), `data-${randomUUID().slice(0, 8)}`);
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
