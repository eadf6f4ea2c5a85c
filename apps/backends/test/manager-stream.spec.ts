import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { managerService, status } from '@glacis/grpc';
import { LOGGER, Metrics, type Logger } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { jest } from '@jest/globals';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { Credentials } from '../src/monitoring/credentials.js';
import { LiveStreams } from '../src/streams/live-streams.js';
import { StreamMetrics } from '../src/streams/metrics.js';
import { FakeCertificates, makeCa, type ManagerFiles } from './fake-certificates.js';
import { Stand, type Dial } from './stand.js';

jest.setTimeout(30_000);

let database: TestDatabase;
let stand: Stand;
let certificates: FakeCertificates;

beforeAll(async () => {
  database = await testDatabase();
  certificates = await FakeCertificates.create();
  stand = await Stand.start(certificates, { databaseUrl: database.url });
});
afterAll(async () => {
  await stand?.stop();
  await database.drop();
});

const terminate = (id: string): Promise<unknown> =>
  stand.send('POST', `/backends/terminate/${id}/1`);
const closed = { kind: 'terminate', value: { message: 'Backend Closed' } };

describe('admission', () => {
  it('shows the backend live, with what is certain of its manager', async () => {
    const metadata = { 'glacis-protocol': 'v0.4', 'glacis-manager-version': '1.3.0' };
    const { id, files } = await stand.connected({ dialect: 'v0.4', metadata });
    expect(await stand.show(id)).toMatchObject({
      active: true,
      protocol: 'v0.4',
      certificate_serial: files.serial,
      version: 'glacis-manager 1.3.0',
    });
    const events = await stand.events(id);
    expect(events.map((event) => event.type)).toEqual(['backend.created', 'backend.connected']);
    expect(events[1]?.data).toMatchObject({
      backend_id: id,
      epoch: 1,
      certificate_serial: files.serial,
      protocol: 'v0.4',
      version: 'glacis-manager 1.3.0',
    });
    const [audit] = await stand.store.query<{ actor: string; detail: unknown }>(
      `SELECT actor, detail FROM audit WHERE subject = $1 AND action = 'stream.open'`,
      [id],
    );
    expect(audit).toMatchObject({
      actor: `certificate:${files.serial}`,
      detail: { result: 'admitted' },
    });
  });

  const refusals: [string, number, (id: string) => Promise<ManagerFiles>][] = [
    [
      'a revoked certificate',
      status.UNAUTHENTICATED,
      async (id) => {
        const files = await certificates.issue(id);
        certificates.revoke(files.serial);
        return files;
      },
    ],
    [
      'a serial that the service does not know',
      status.UNAUTHENTICATED,
      (id) => certificates.issue(id, { stored: false }),
    ],
    [
      'backends.md 16.10: a live serial with another fingerprint',
      status.UNAUTHENTICATED,
      async (id) => {
        const files = await certificates.issue(id);
        certificates.resolved.get(files.serial)!.fingerprintSha256 = '00'.repeat(32);
        return files;
      },
    ],
    [
      'backends.md 16.10: a live serial of another issuer',
      status.UNAUTHENTICATED,
      async (id) => {
        const files = await certificates.issue(id);
        certificates.resolved.get(files.serial)!.issuerId = '11'.repeat(16);
        return files;
      },
    ],
    [
      'a certificate of another kind of entity',
      status.PERMISSION_DENIED,
      (id) => certificates.issue(id, { entityType: 'party' }),
    ],
    [
      'a certificate of another tenant',
      status.PERMISSION_DENIED,
      (id) => certificates.issue(id, { tenant: 'tenant-b' }),
    ],
    [
      'a certificate of an unknown backend',
      status.PERMISSION_DENIED,
      () => certificates.issue('00000000-0000-4000-8000-000000000000'),
    ],
    [
      'a certificate of a deleted backend',
      status.PERMISSION_DENIED,
      async (id) => {
        await stand.send('DELETE', `/backends/${id}`);
        return certificates.issue(id);
      },
    ],
  ];

  it.each(refusals)('refuses %s with trailers only', async (_, code, files) => {
    const id = await stand.backend();
    const stream = stand.dial(await files(id));
    await expect(stream.opened).rejects.toThrow(`ended with ${code}`);
    expect(await stream.ended).toMatchObject({ code });
    expect(stream.messages).toEqual([]);
    const rows = await stand.store.query('SELECT 1 FROM backend_streams WHERE backend_id = $1', [
      id,
    ]);
    expect(rows).toEqual([]);
  });

  it('refuses everybody while the certificate service does not answer, and recovers', async () => {
    const id = await stand.backend();
    const files = await certificates.issue(id);
    certificates.down = true;
    expect(await stand.dial(files).ended).toMatchObject({ code: status.UNAVAILABLE });
    certificates.down = false;
    await stand.dial(files).opened;
  });

  it('backends.md 16.3: fails the handshake of expired, unknown-CA and certificate-less clients', async () => {
    const id = await stand.backend();
    const past = new Date(Date.now() - 1_000);
    const foreign = await makeCa('Foreign');
    const { ca } = await certificates.issue(id);
    for (const files of [
      await certificates.issue(id, { notAfter: past }),
      await certificates.issue(id, { issuer: foreign }),
      { ca },
    ]) {
      const stream = stand.dial(files);
      expect(await stream.ended).toMatchObject({ code: status.UNAVAILABLE });
      expect(stream.messages).toEqual([]);
      stream.client.close();
    }
  });

  it('takes a client that sends its leaf alone, as live intermediates are known', async () => {
    const id = await stand.backend();
    const files = await certificates.issue(id);
    const [leaf] = files.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    await stand.dial({ ...files, cert: leaf }).opened;
    await stand.active(id, true);
  });

  it('goes by new CAs also while no server certificate can be had', async () => {
    const id = await stand.backend();
    const issueService = certificates.issueService.bind(certificates);
    certificates.issueService = () => Promise.reject(new Error('no issuer'));
    await certificates.addIntermediate();
    certificates.version += 1;
    const files = await certificates.issue(id);
    const [leaf] = files.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    stand.get(Credentials).checkSoon();
    await waitFor(
      () =>
        stand.dial({ ...files, cert: leaf }).opened.then(
          () => true,
          () => false,
        ),
      { what: 'the new CA to be trusted', everyMs: 300 },
    );
    certificates.issueService = issueService;
  });

  it('takes ten opens of a serial at once, then one per 3 s', async () => {
    const id = await stand.backend();
    const files = await certificates.issue(id);
    const began = Date.now();
    const open = async (): Promise<status> => {
      const stream = stand.dial(files);
      await stream.opened.catch(() => undefined);
      stream.end();
      const { code } = await stream.ended;
      stream.client.close();
      return code;
    };
    let opens = 0;
    let code = await open();
    while (code === status.OK) {
      opens++;
      code = await open();
    }
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(opens).toBeGreaterThanOrEqual(10);
    // On a slow machine the budget fills up again meanwhile.
    expect(opens).toBeLessThanOrEqual(10 + (Date.now() - began) / 3_000);
  });

  it('drops a refused client right after its handshake from the third time on', async () => {
    const id = await stand.backend();
    const files = await certificates.issue(id, { tenant: 'tenant-b' });
    for (let i = 0; i < 3; i++) {
      expect((await stand.dial(files).ended).code).toBe(status.PERMISSION_DENIED);
    }
    // A refusal is counted after it was answered.
    await waitFor(async () => (await stand.dial(files).ended).code === status.UNAVAILABLE);
    const other = await certificates.issue(id, { tenant: 'tenant-b' });
    expect((await stand.dial(other).ended).code).toBe(status.PERMISSION_DENIED);
  });
});

describe('dialects', () => {
  const agents: [Partial<Dial>, Record<string, unknown>][] = [
    [{ userAgent: 'grpc-go/1.60.1' }, { protocol: 'seed' }],
    [{ userAgent: 'grpc-go/1.65.0' }, { protocol: 'v0.2' }],
    [
      { userAgent: 'grpc-go/1.68.0', dialect: 'v0.4' },
      { protocol: 'v0.4', version: 'cocos v0.4.0' },
    ],
    [{}, { protocol: 'seed' }],
  ];
  it.each(agents)('are chosen by user agent: %j', async (dial, shown) => {
    const { id } = await stand.connected(dial);
    expect(await stand.show(id)).toMatchObject(shown);
  });

  it('become v0.3 when an ambiguous client sends message 5', async () => {
    const { id, stream } = await stand.connected({ dialect: 'v0.3', userAgent: 'grpc-go/1.65.0' });
    await stream.send({ kind: 'stopResponse', value: { computationId: 'c', message: '' } });
    await waitFor(async () => (await stand.show(id)).protocol === 'v0.3', { what: 'v0.3' });
    await terminate(id);
    await stream.ended;
    expect(stream.messages).toEqual([closed]);
  });
});

describe('messages of managers', () => {
  it('that contradict the dialect are all counted and logged once for each stream', async () => {
    const warn = jest.spyOn(stand.get<Logger>(LOGGER), 'warn');
    const { stream } = await stand.connected({ dialect: 'v0.3', body: { protocol: 'seed' } });
    const { contradictions } = stand.get(StreamMetrics);
    const counted = async (): Promise<number> => (await contradictions.get()).values[0]?.value ?? 0;
    const before = await counted();
    for (let i = 0; i < 20; i++) {
      await stream.send({ kind: 'stopResponse', value: { computationId: 'c', message: '' } });
    }
    await waitFor(async () => (await counted()) === before + 20, { what: '20 contradictions' });
    const logged = warn.mock.calls.filter(([, text]) => String(text).includes('contradicts'));
    expect(logged).toHaveLength(1);
    warn.mockRestore();
  });

  it('go to the bus in their order, with details as base64 and without what no database stores', async () => {
    const { id, stream } = await stand.connected();
    const timestamp = new Date('2026-11-21T10:15:35.123Z');
    await stream.send({
      kind: 'agentEvent',
      value: {
        eventType: 'vm-provision',
        status: 'starting',
        computationId: 'c1',
        originator: 'manager',
        details: Buffer.from('{"a":1}'),
        timestamp,
      },
    });
    for (let i = 0; i < 100; i++) {
      await stream.send({
        kind: 'agentLog',
        value: {
          message: `line ${i}\0`,
          level: 'debug',
          computationId: 'c1',
          timestamp: undefined,
        },
      });
    }
    const relayed = await waitFor(
      async () => {
        const events = (await stand.events(id)).filter((one) =>
          one.type.startsWith('backend.agent'),
        );
        return events.length === 101 && events;
      },
      { what: '101 relayed messages' },
    );
    expect(relayed[0]).toMatchObject({
      type: 'backend.agent.event',
      data: {
        backend_id: id,
        event_type: 'vm-provision',
        status: 'starting',
        computation_id: 'c1',
        originator: 'manager',
        timestamp: timestamp.toISOString(),
        details: Buffer.from('{"a":1}').toString('base64'),
      },
    });
    expect(relayed.slice(1).map((event) => event.data.message)).toEqual(
      Array.from({ length: 100 }, (_, i) => `line ${i}\uFFFD`),
    );
  });
});

describe('a database that is slow', () => {
  it('slows a manager down instead of filling our memory, and loses nothing', async () => {
    const { id, stream } = await stand.connected();
    const [live] = stand.get(LiveStreams).ofSlot({ backendId: id, connection: 'main' });
    if (!live) throw new Error('no stream');
    const pause = jest.spyOn(live.call, 'pause');
    const read = jest.spyOn(live, 'hold');
    let unlock = (): void => undefined;
    const locked = stand.store.transaction(async (tx) => {
      await tx.query('LOCK TABLE outbox IN EXCLUSIVE MODE');
      await new Promise<void>((resolve) => (unlock = resolve));
    });
    const total = 400;
    const padding = 'x'.repeat(128 * 1024);
    const sending = (async () => {
      for (let i = 0; i < total; i++) {
        const value = { message: `${i} ${padding}`, level: '', computationId: '' };
        await stream.send({ kind: 'agentLog', value: { ...value, timestamp: undefined } });
      }
    })();
    await waitFor(() => pause.mock.calls.length > 0, { what: 'the stream to be paused' });
    expect(await stand.show(id)).toMatchObject({ active: true });
    expect(read.mock.calls.length).toBeLessThan(10);
    unlock();
    await locked;
    await sending;
    const numbers = await waitFor(async () => {
      const rows = await stand.store.query<{ envelope: string }>(
        `SELECT left(envelope, 1000) AS envelope FROM outbox
         WHERE key = $1 AND type = 'backend.agent.log' ORDER BY seq`,
        [id],
      );
      const found = rows.map((row) => Number(/"message":"(\d+) /.exec(row.envelope)?.[1]));
      return found.length === total && found;
    });
    expect(numbers).toEqual(Array.from({ length: total }, (_, i) => i));
  });
});

describe('TLS', () => {
  let tls12: Stand;

  beforeAll(async () => {
    tls12 = await Stand.start(certificates, {
      databaseUrl: database.url,
      settings: { tls12: 'true' },
    });
  });
  afterAll(() => tls12.stop());

  const handshake = async (
    to: Stand,
    files: ManagerFiles,
    more: { session?: Buffer; maxVersion?: 'TLSv1.2' | 'TLSv1.3' } = {},
  ): Promise<{ socket: TLSSocket; session: Buffer; closed: Promise<string> }> => {
    const socket = connect({
      port: to.managerPort,
      host: '127.0.0.1',
      ...files,
      ALPNProtocols: ['h2'],
      ...more,
    });
    let session: Buffer | undefined;
    socket.on('session', (told) => (session = told));
    let received = '';
    socket.on('data', (bytes) => (received += bytes.toString('hex')));
    const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
    await once(socket, 'secureConnect');
    socket.on('error', () => undefined);
    const saved = await waitFor(() => session ?? socket.getSession());
    return { socket, session: saved, closed };
  };

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'backends.md 16.3: resumes no session of %s, and refuses who was revoked since',
    async (maxVersion) => {
      const files = await certificates.issue(await stand.backend());
      const first = await handshake(tls12, files, { maxVersion });
      expect(first.socket.getProtocol()).toBe(maxVersion);
      const { session } = first;
      const second = await handshake(tls12, files, { maxVersion, session });
      expect(second.socket.isSessionReused()).toBe(false);
      await tls12.revoke(files.serial);
      // The refusal may come before this side has finished its handshake.
      const third = await handshake(tls12, files, { maxVersion, session }).catch(() => undefined);
      expect(third?.socket.isSessionReused() ?? false).toBe(false);
      expect(third ? await third.closed : '').toBe('');
      first.socket.destroy();
      second.socket.destroy();
    },
  );

  it('speaks no TLS 1.2 unless told to', async () => {
    const files = await certificates.issue(await stand.backend());
    await expect(handshake(stand, files, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert/);
  });

  it('is that of a server under each of its names and addresses', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      const files = await certificates.issue(await stand.backend());
      const stream = stand.dial(files, { host });
      await stream.opened;
    }
  });
});

describe('bytes of a client', () => {
  /** A stream that sends bytes as they are. */
  const raw = async (): Promise<{
    id: string;
    call: ClientDuplexStream<Buffer, Buffer>;
    code: Promise<number>;
  }> => {
    const id = await stand.backend();
    const { ca, key, cert } = await certificates.issue(id);
    const ssl = credentials.createSsl(Buffer.from(ca), Buffer.from(key), Buffer.from(cert));
    const client = new Client(`127.0.0.1:${stand.managerPort}`, ssl);
    const { path, requestSerialize, responseDeserialize } = managerService.process;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    call.on('error', () => undefined);
    const code = new Promise<number>((resolve) => {
      call.on('status', (ending) => {
        client.close();
        resolve(ending.code);
      });
    });
    call.resume();
    await once(call, 'metadata');
    return { id, call, code };
  };

  it('that are no message end the stream with INVALID_ARGUMENT', async () => {
    const { id, call, code } = await raw();
    call.write(Buffer.from('ff', 'hex'));
    expect(await code).toBe(status.INVALID_ARGUMENT);
    await stand.active(id, false);
  });

  it('without a known member are counted and ignored', async () => {
    const { id, call, code } = await raw();
    call.write(Buffer.alloc(0));
    call.write(Buffer.from('7a0101', 'hex'));
    call.write(Buffer.from('0a020a00', 'hex'));
    await waitFor(async () => (await stand.events(id)).at(-1)?.type === 'backend.agent.log');
    expect(await stand.show(id)).toMatchObject({ active: true });
    call.end();
    expect(await code).toBe(status.OK);
  });

  it('above 4 MiB end the stream with RESOURCE_EXHAUSTED', async () => {
    const { id, call, code } = await raw();
    call.write(Buffer.alloc(4 * 1024 * 1024 + 1));
    expect(await code).toBe(status.RESOURCE_EXHAUSTED);
    await stand.active(id, false);
  });

  it('never do anything but that', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }),
        async (sent) => {
          const { id, call, code } = await raw();
          for (const bytes of sent) call.write(Buffer.from(bytes));
          call.end();
          expect([status.OK, status.INVALID_ARGUMENT]).toContain(await code);
          await stand.active(id, false);
        },
      ),
      { numRuns: 15 },
    );
  });
});

it('backends.md 13: series with labels are there before their first event', async () => {
  const fresh = await Stand.start(certificates, { databaseUrl: database.url });
  const text = await fresh.get(Metrics).text();
  await fresh.stop();
  for (const series of [
    'glacis_backends_connected{protocol="v0.4"} 0',
    'glacis_backends_stream_open_total{result="admitted"} 0',
    'glacis_backends_stream_open_total{result="revoked"} 0',
    'glacis_backends_reconnect_refused_total{reason="blocked"} 0',
    'glacis_backends_relay_messages_total{kind="agentLog"} 0',
  ]) {
    expect(text).toContain(series);
  }
});
