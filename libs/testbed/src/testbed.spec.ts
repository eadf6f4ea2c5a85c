import { createLogger } from '@glacis/observability';
import { migration, openStore, type MigrationClass } from '@glacis/store';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { findProcesses, listeningPorts, openssl, temporaryFolder, testDatabase } from './index.js';

const logger = createLogger({ name: 'test', level: 'silent' });

const migrations = (table: string): MigrationClass[] => [
  migration('CreateTable1763700000000', `CREATE TABLE ${table} (id int PRIMARY KEY)`),
];

async function tablesOf(url: string, service: string, steps: MigrationClass[]): Promise<string[]> {
  const store = await openStore({ service, url, migrations: steps, logger });
  const rows = await store.query<{ tablename: string }>(
    'SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1',
    [service],
  );
  await store.close();
  return rows.map(({ tablename }) => tablename);
}

describe('testDatabase', () => {
  it('gives a database of its own that holds the schemas of the services', async () => {
    const first = await testDatabase({ one: migrations('a'), two: migrations('b') });
    const second = await testDatabase({ one: migrations('a'), two: migrations('b') });
    expect(second.url).not.toBe(first.url);
    expect(await tablesOf(first.url, 'one', [])).toContain('a');
    expect(await tablesOf(second.url, 'two', [])).toContain('b');
    await Promise.all([first.drop(), second.drop()]);
  });

  it('tells migrations of the same name apart by what they do', async () => {
    const first = await testDatabase({ one: migrations('c') });
    const second = await testDatabase({ one: migrations('d') });
    expect(await tablesOf(first.url, 'one', [])).toContain('c');
    expect(await tablesOf(second.url, 'one', [])).toContain('d');
    await Promise.all([first.drop(), second.drop()]);
  });

  it('makes a template once when many ask for it at once', async () => {
    const databases = await Promise.all(
      Array.from({ length: 8 }, () => testDatabase({ one: migrations('e') })),
    );
    expect(new Set(databases.map(({ url }) => url)).size).toBe(8);
    await Promise.all(databases.map((database) => database.drop()));
  });

  it('drops a database that is still in use', async () => {
    const database = await testDatabase();
    const store = await openStore({ service: 'one', url: database.url, migrations: [], logger });
    await store.ping();
    await database.drop();
    await expect(store.ping()).rejects.toMatchObject({ code: '3D000' });
    await store.close();
  });
});

describe('the process that holds the Postgres of a run', () => {
  it('removes everything when the run ends, and kills and reports what tests left running', async () => {
    const program = fileURLToPath(new URL('../dist/postgres-host.js', import.meta.url));
    const host = spawn(process.execPath, [program], { stdio: 'pipe' });
    const told = text(host.stderr);
    const [line] = (await once(createInterface(host.stdout), 'line')) as [string];
    const { folder } = JSON.parse(line) as { folder: string };
    const script = 'setInterval(() => undefined, 60_000)';
    const forgotten = spawn(process.execPath, ['-e', script, folder], { stdio: 'ignore' });
    const [killed, exit] = [once(forgotten, 'exit'), once(host, 'exit')];
    // As when the run is killed.
    host.stdin.destroy();
    expect(await killed).toEqual([null, 'SIGKILL']);
    expect(await exit).toEqual([1, null]);
    expect(await told).toContain(`left running by the tests and killed: ${forgotten.pid}`);
    await expect(stat(folder)).rejects.toThrow('ENOENT');
    expect(await findProcesses(folder)).toEqual([]);
  });
});

describe('helpers', () => {
  it('runs openssl with input, and tells how it ended', async () => {
    const digest = await openssl(['dgst', '-sha256'], 'abc');
    expect(digest.code).toBe(0);
    expect(digest.stdout.toString()).toContain('ba7816bf8f01cfea414140de5dae2223');
    expect((await openssl(['x509'], 'no certificate')).code).not.toBe(0);
  });

  it('makes private temporary folders', async () => {
    const [one, two] = [await temporaryFolder(), await temporaryFolder()];
    expect(one).not.toBe(two);
    expect((await stat(one)).mode & 0o777).toBe(0o700);
  });

  it('finds processes by a mark, and the ports that a process listens on', async () => {
    expect(await findProcesses(`no process bears this ${Date.now()}`)).toEqual([]);
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.on('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await listeningPorts(process.pid)).toContain(port);
    await new Promise((resolve) => server.close(resolve));
    expect(await listeningPorts(process.pid)).not.toContain(port);
  });
});
