import { withConnection } from '@glacis/store';
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const answers = (url: string): Promise<unknown[]> =>
  withConnection({ connectionString: url, connectionTimeoutMillis: 1_000 }, (connection) =>
    connection.query('SELECT 1'),
  );

describe('npm run testbed', () => {
  it('starts components that outlive the command, tells their addresses, and ends them', async () => {
    const cli = fileURLToPath(new URL('../dist/cluster/cli.js', import.meta.url));
    const { DATABASE_URL: _, KAFKA_BROKERS: __, ...inherited } = process.env;
    const cache = await mkdtemp(join(tmpdir(), 'cache-'));
    const env = { ...inherited, GLACIS_TESTBED_CACHE: cache };
    const testbed = async (...args: string[]): Promise<string> =>
      (await run(process.execPath, [cli, ...args], { env })).stdout;
    expect(await testbed('status')).toBe('nothing runs\n');
    const told = await testbed('up', 'postgres');
    const [, url] = /^export DATABASE_URL='(.*)'\n$/.exec(told) ?? [];
    await answers(url!);
    expect(await testbed('status')).toBe(told);
    await expect(testbed('up', 'postgres')).rejects.toThrow('runs already');
    expect(await testbed('down')).toBe('ended\n');
    await expect(answers(url!)).rejects.toThrow('ECONNREFUSED');
    expect(await testbed('down')).toBe('nothing ran\n');
    await expect(testbed('up', 'zookeeper')).rejects.toThrow('unknown: zookeeper');
  }, 120_000);
});
