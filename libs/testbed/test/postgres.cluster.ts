import { withConnection } from '@glacis/store';
import { once } from 'node:events';
import { connect } from 'node:net';
import { faultProxy, freePort, startPostgres, type PostgresServer } from '../src/cluster/index.js';
import { testDatabase } from '../src/index.js';

let postgres: PostgresServer;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres.stop());

const answers = (url: string): Promise<unknown[]> =>
  withConnection({ connectionString: url, connectionTimeoutMillis: 1_000 }, (connection) =>
    connection.query('SELECT 1'),
  );

it('testDatabase gives databases of the Postgres that a run shares', async () => {
  const database = await testDatabase();
  const [row] = await withConnection(database.url, (connection) =>
    connection.query<{ server_version: string }>('SHOW server_version'),
  );
  expect(Number.parseInt(row!.server_version, 10)).toBeGreaterThanOrEqual(15);
  await database.drop();
});

describe('startPostgres', () => {
  it('gives each service a database with an owner who is no superuser', async () => {
    const url = await postgres.createDatabase('certificates');
    const [owner] = await withConnection(url, (connection) =>
      connection.query("SELECT current_user AS name, current_setting('is_superuser') AS super"),
    );
    expect(owner).toEqual({ name: 'certificates', super: 'off' });
    await expect(answers(url.replace(/:[0-9a-f]{32}@/, ':wrong@'))).rejects.toThrow('password');
  });

  it('keeps what was committed when it is killed or shut down, and starts again at the same place', async () => {
    const url = await postgres.createDatabase('kept');
    await withConnection(url, (connection) => connection.query('CREATE TABLE t AS SELECT 7 AS n'));
    for (const end of [() => postgres.kill(), () => postgres.shutDown()]) {
      await end();
      await expect(answers(url)).rejects.toThrow();
      await postgres.start();
      await withConnection(url, async (connection) => {
        expect(await connection.query('SELECT n FROM t')).toEqual([{ n: 7 }]);
      });
    }
  });
});

describe('faultProxy', () => {
  it('holds back what is sent while the network is cut, and passes it on after', async () => {
    const proxy = await faultProxy({ port: postgres.port });
    const url = new URL(postgres.url);
    url.port = String(proxy.port);
    await withConnection(url.href, async (connection) => {
      await connection.query('SELECT 1');
      proxy.cut();
      const late = connection.query('SELECT 2 AS n');
      await expect(answers(url.href)).rejects.toThrow('timeout');
      await expect(Promise.race([late, Promise.resolve('nothing yet')])).resolves.toBe(
        'nothing yet',
      );
      proxy.heal();
      expect(await late).toEqual([{ n: 2 }]);
      proxy.reset();
      await expect(connection.query('SELECT 3')).rejects.toThrow();
    });
    await answers(url.href);
    await proxy.close();
    await expect(answers(url.href)).rejects.toThrow('ECONNREFUSED');
  });

  it('resets a client whose server is not there', async () => {
    const proxy = await faultProxy({ port: await freePort() });
    const socket = connect(proxy.port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    await proxy.close();
  });
});
