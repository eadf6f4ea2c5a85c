import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import {
  DatabaseUnreachableError,
  openStore,
  startPostgres,
  type RunningPostgres,
  type Store,
} from '../src/index.js';
import { logger, newDataDir } from './support.js';

let postgres: RunningPostgres;
let line: Line;
let store: Store;

/** A database server that can be frozen, as with SIGSTOP, or killed, without harm to the real one behind it. */
class Line {
  private readonly sockets = new Set<Socket>();
  private readonly answers = new Set<Socket>();
  private frozen = false;

  private constructor(
    private readonly server: Server,
    private readonly target: string,
  ) {
    server.on('connection', (socket: Socket) => this.join(socket));
  }

  static async to(url: string): Promise<Line> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Line(server, url);
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    const { username, pathname } = new URL(this.target.replace(/@[^/]*\//, '@host/'));
    return `postgresql://${username}@127.0.0.1:${port}${pathname}`;
  }

  freeze(): void {
    this.frozen = true;
    for (const far of this.answers) far.unpipe();
  }

  kill(): void {
    for (const socket of this.sockets) socket.end();
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private join(socket: Socket): void {
    this.sockets.add(socket.on('error', () => undefined));
    if (this.frozen) return;
    const [, folder = '', port = '5432'] = /@([^/:]*)(?::(\d+))?\//.exec(this.target) ?? [];
    const host = decodeURIComponent(folder);
    const far = host.startsWith('/')
      ? connect(`${host}/.s.PGSQL.${port}`)
      : connect(Number(port), host);
    this.sockets.add(far.on('error', () => undefined));
    this.answers.add(far);
    socket.pipe(far).pipe(socket);
  }
}

beforeAll(async () => {
  postgres = await startPostgres({ dataDir: newDataDir(), logger });
});
beforeEach(async () => {
  line = await Line.to(postgres.url);
  store = await openStore({
    service: 'shop',
    url: line.url,
    migrations: [],
    logger,
    statementTimeoutMs: 50,
  });
  // Two connections, so that nothing below has to wait for one that cannot be made.
  await Promise.all([store.ping(), store.ping()]);
});
afterEach(async () => {
  line.close();
  await store.close();
});
afterAll(() => postgres.stop());

it('a database that is frozen fails a statement and a transaction in time, as unreachable', async () => {
  line.freeze();
  const failures = [store.query('SELECT 1'), store.transaction(async (tx) => tx.query('SELECT 1'))];
  for (const failure of failures) {
    await expect(failure).rejects.toMatchObject({ code: '08006' });
    await expect(failure).rejects.toBeInstanceOf(DatabaseUnreachableError);
  }
});

it('a transaction that the database freezes under fails as unreachable, without a wait for its rollback', async () => {
  const failure = store.transaction(async (tx) => {
    await tx.query('SELECT 1');
    line.freeze();
    await tx.query('SELECT 2');
  });
  await expect(failure).rejects.toMatchObject({ code: '08006' });
});

it('a database that is killed under a statement fails it as unreachable', async () => {
  line.freeze();
  const one = store.query('SELECT 1');
  const two = store.transaction((tx) => tx.query('SELECT 1'));
  const settled = Promise.allSettled([one, two]);
  // Both have their connection by then.
  await setImmediate();
  line.kill();
  for (const result of await settled) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: '08006' } });
  }
});

it('a transaction whose connection is gone fails its next statement as unreachable', async () => {
  const failure = store.transaction(async (tx) => {
    await tx.query('SELECT 1');
    line.kill();
    await tx.query('SELECT 1').catch(() => undefined);
    await tx.query('SELECT 1');
  });
  await expect(failure).rejects.toMatchObject({ code: '08006' });
});
