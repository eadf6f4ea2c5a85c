import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { once } from 'node:events';
import { status } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { jest } from '@jest/globals';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { CertificateCache } from '../src/streams/certificate-cache.js';
import { StreamMetrics } from '../src/streams/metrics.js';
import { Reception } from '../src/streams/reception.js';
import { FakeCertificates, type ManagerFiles } from './fake-certificates.js';
import { Stand } from './stand.js';

let database: TestDatabase;
let stand: Stand;
let certificates: FakeCertificates;
const sessions: ClientHttp2Session[] = [];

beforeAll(async () => {
  database = await testDatabase();
  certificates = await FakeCertificates.create();
  stand = await Stand.start(certificates, { databaseUrl: database.url });
});
afterEach(() => sessions.splice(0).forEach((session) => session.destroy()));
afterAll(async () => {
  await stand?.stop();
  await database.drop();
});

/** One connection that never dials again by itself. */
async function connection(files: ManagerFiles): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${stand.managerPort}`, {
    ...files,
    servername: 'localhost',
  });
  sessions.push(session);
  session.on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

function call(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/manager.ManagerService/Process',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  return stream.resume();
}

/** The status of a call that is refused: trailers only. */
async function refusal(session: ClientHttp2Session): Promise<number> {
  const [headers] = await once(call(session), 'response');
  return Number(headers['grpc-status']);
}

const closed = (session: ClientHttp2Session): Promise<true> =>
  waitFor(() => session.destroyed && (true as const), { what: 'the connection to be closed' });

const audited = (serial: string): Promise<{ tenant: string | null; result: string }[]> =>
  stand.store.query(
    `SELECT tenant, detail->>'result' AS result, detail->>'blocked_until' AS blocked FROM audit
     WHERE actor = $1 AND action = 'stream.open' ORDER BY 1, 2`,
    [`certificate:${serial}`],
  );

/** A client whose certificate belongs to another tenant than its backend. */
const stranger = async (): Promise<ManagerFiles> =>
  certificates.issue(await stand.backend(), { tenant: 'tenant-b' });

describe('backends.md 4.2: a refused call', () => {
  it('costs its client the connection', async () => {
    const files = await stranger();
    const session = await connection(files);
    expect(await refusal(session)).toBe(status.PERMISSION_DENIED);
    await closed(session);
    await waitFor(async () => (await audited(files.serial)).length === 1);
  });

  it('leaves a live stream of its connection alone, until the third', async () => {
    const id = await stand.backend();
    const files = await certificates.issue(id);
    const session = await connection(files);
    await once(call(session), 'response');
    await stand.active(id, true);
    certificates.resolved.get(files.serial)!.status = 'expired';
    stand.get(CertificateCache).drop(files.serial);
    for (let i = 0; i < 3; i++) {
      expect(session.destroyed).toBe(false);
      expect(await refusal(session)).toBe(status.UNAUTHENTICATED);
    }
    await closed(session);
    await stand.active(id, false);
  });

  it('is refused without a look at anything while its client is blocked, on an old connection too', async () => {
    const files = await stranger();
    const old = await connection(files);
    for (let i = 0; i < 3; i++) await refusal(await connection(files));
    const entries = await waitFor(async () => {
      const rows = await audited(files.serial);
      return rows.length === 3 && rows;
    });
    expect(await refusal(old)).toBe(status.RESOURCE_EXHAUSTED);
    await closed(old);
    expect(await audited(files.serial)).toEqual(entries);
  });

  it('is told to the tenant of its certificate, with the block that it brings', async () => {
    const files = await stranger();
    for (let i = 0; i < 3; i++) await refusal(await connection(files));
    const told = { tenant: 'tenant-b', result: 'other_tenant' };
    await waitFor(async () => (await audited(files.serial)).length === 3);
    expect(await audited(files.serial)).toEqual([
      { ...told, blocked: null },
      { ...told, blocked: null },
      { ...told, blocked: expect.any(String) },
    ]);
  });
});

it('a client that leaves while it is admitted takes no slot', async () => {
  const { id, files } = await stand.connected();
  const resolve = certificates.resolve.bind(certificates);
  let answer = (): void => undefined;
  const asked = new Promise<void>((told) => {
    certificates.resolve = async (request) => {
      certificates.resolve = resolve;
      await new Promise<void>((go) => {
        answer = go;
        told();
      });
      return resolve(request);
    };
  });
  stand.get(CertificateCache).drop(files.serial);
  const receive = jest.spyOn(stand.get(Reception), 'receive');
  const session = await connection(files);
  call(session);
  await asked;
  session.destroy();
  await once(session, 'close');
  const gone = async (): Promise<number> => {
    const { values } = await stand.get(StreamMetrics).opens.get();
    return values.find(({ labels }) => labels.result === 'client_gone')?.value ?? 0;
  };
  await waitFor(() => receive.mock.lastCall?.[0].ended, { what: 'the server to notice' });
  answer();
  await waitFor(async () => (await gone()) === 1);
  const types = (await stand.events(id)).map((event) => event.type);
  expect(types).toEqual(['backend.created', 'backend.connected']);
});

it('backends.md 13: of clients dropped at the door the first and each block are audited', async () => {
  const files = await certificates.issue(await stand.backend());
  await stand.revoke(files.serial);
  const drop = async (): Promise<void> => {
    expect((await stand.dial(files).ended).code).toBe(status.UNAVAILABLE);
  };
  for (let i = 0; i < 5; i++) await drop();
  await waitFor(async () => (await audited(files.serial)).length === 2);
  expect(await audited(files.serial)).toEqual([
    { tenant: null, result: 'refused_set', blocked: null },
    { tenant: null, result: 'refused_set', blocked: expect.any(String) },
  ]);
});
