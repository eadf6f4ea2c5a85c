import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { temporaryFolder, testDatabase } from '@glacis/testbed';

const script = fileURLToPath(new URL('./service.mjs', import.meta.url));

interface Ending {
  code: number | null;
  out: string;
  err: string;
}

/** A small service, run to its end; it is told to stop when it says that it is ready. */
async function runToEnd(env: Record<string, string>): Promise<Ending> {
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, GLACIS_LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunk.includes('is ready')) child.kill('SIGTERM');
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, out, err };
}

const tokens = { GLACIS_TOKENS_GATEWAY_URLS: 'http://127.0.0.1:1' };

describe('a service', () => {
  it('starts, says where, and ends at a signal', async () => {
    const database = await testDatabase();
    try {
      const { code, out } = await runToEnd({ ...tokens, DATABASE_URL: database.url });
      expect(out).toMatch(/^pond is ready: http http:\/\/127\.0\.0\.1:\d+, frogs 7\n$/);
      expect(code).toBe(0);
    } finally {
      await database.drop();
    }
  });

  it('tells all that is wrong with its settings at once, and no secret', async () => {
    const { code, err } = await runToEnd({
      GLACIS_POND_DEPTH: 'deep',
      GLACIS_KAFKA_PARTITIONS: 'none',
      GLACIS_CERTS_GRPC_URL: 'certificates',
      GLACIS_JOIN_TOKEN: 'hunter2',
    });
    expect(code).toBe(1);
    const names = [...err.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name);
    expect(names).toEqual([
      'GLACIS_DATABASE_URL',
      'GLACIS_CERTS_GRPC_URL',
      'GLACIS_JOIN_TOKEN',
      'GLACIS_POND_DEPTH',
      'GLACIS_KAFKA_PARTITIONS',
    ]);
    expect(err).toMatch(/^pond cannot start: /);
    expect(err).not.toContain('hunter2');
    expect(err).not.toContain('    at ');
  });

  it('waits for its database as long as it was told, then names it without its password', async () => {
    const { code, err } = await runToEnd({
      ...tokens,
      DATABASE_URL: 'postgresql://pond:hunter2@127.0.0.1:1/water',
      GLACIS_START_TIMEOUT: '300ms',
      GLACIS_LOG_LEVEL: 'warn',
    });
    expect(code).toBe(1);
    expect(err).toContain('waiting for the database');
    expect(err).toMatch(/^pond cannot start: DATABASE_URL: 127\.0\.0\.1:1\/water: .*ECONNREFUSED/m);
    expect(err).not.toContain('hunter2');
  });

  it('names the file of a join token that is none', async () => {
    const file = join(await temporaryFolder(), 'join.token');
    await writeFile(file, 'too short\n');
    const env = { ...tokens, DATABASE_URL: 'postgresql://x/y', GLACIS_JOIN_TOKEN_FILE: file };
    const { code, err } = await runToEnd(env);
    expect(code).toBe(1);
    expect(err).toContain(`GLACIS_JOIN_TOKEN_FILE: ${file} does not hold 32 random bytes or more`);
  });
});
