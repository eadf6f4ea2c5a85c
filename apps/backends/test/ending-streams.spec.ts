import { status } from '@glacis/grpc';
import { toPem } from '@glacis/pki';
import { waitFor } from '@glacis/runtime';
import { jest } from '@jest/globals';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { LiveStreams } from '../src/streams/live-streams.js';
import { LiveRecheck } from '../src/monitoring/live-recheck.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

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

describe('backends.md 16.2: Terminate', () => {
  it('reaches a seed client as field 2 with text Backend Closed', async () => {
    const { id, stream } = await stand.connected({ dialect: 'seed' });
    await terminate(id);
    expect(await stream.ended).toMatchObject({ code: status.OK });
    expect(stream.messages).toEqual([closed]);
  });

  it.each(['v0.2', 'v0.3', 'v0.4'] as const)('reaches a pinned %s client', async (dialect) => {
    const { id, stream } = await stand.connected({ dialect, body: { protocol: dialect } });
    await terminate(id);
    expect(await stream.ended).toMatchObject({ code: status.OK });
    expect(stream.messages).toEqual([closed]);
  });

  it.each(['v0.2', 'v0.3'] as const)(
    'goes to an ambiguous client in both numbers, so that %s obeys',
    async (dialect) => {
      const { id, stream } = await stand.connected({ dialect, userAgent: 'grpc-go/1.65.0' });
      expect(await stand.show(id)).toMatchObject({ protocol: 'v0.2' });
      await terminate(id);
      await stream.ended;
      expect(stream.messages).toContainEqual(closed);
    },
  );

  it('backends.md 13: is audited with the serial, and so is the end of the stream', async () => {
    const { id, files, stream } = await stand.connected();
    await terminate(id);
    await stream.ended;
    await stand.active(id, false);
    const audited = await stand.store.query(
      `SELECT action, detail->>'serial' AS serial FROM audit
       WHERE subject = $1 AND action IN ('backend.terminate', 'stream.close') ORDER BY 1`,
      [id],
    );
    const { serial } = files;
    expect(audited).toEqual([
      { action: 'backend.terminate', serial },
      { action: 'stream.close', serial },
    ]);
  });

  it('cuts off a client that does not obey', async () => {
    const { id, stream } = await stand.connected({ obeys: false });
    await terminate(id);
    expect(await stream.ended).toMatchObject({ code: status.OK });
    await stand.active(id, false);
  });
});

describe('backends.md 16.3: revocation', () => {
  it('of the certificate in use ends the stream and clears active', async () => {
    const other = await stand.connected();
    const { id, files, stream } = await stand.connected();
    await stand.revoke(files.serial);
    expect(await stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(stream.messages).toEqual([closed]);
    await stand.active(id, false);
    const types = (await stand.events(id)).map((event) => event.type);
    expect(types.slice(-3)).toEqual([
      'backend.termination.requested',
      'backend.terminated',
      'backend.disconnected',
    ]);
    const list = await stand.send('GET', `/backends/${id}/terminations`);
    expect(list.json()).toMatchObject({
      total: 1,
      terminations: [{ type: 0, requested_by: 'system', state: 'closed' }],
    });
    expect(await stand.show(other.id)).toMatchObject({ active: true });
  });

  it('refuses the next handshake before any byte of HTTP/2', async () => {
    const { files, stream } = await stand.connected();
    await stand.revoke(files.serial);
    await stream.ended;
    const before = certificates.resolveCalls;
    expect(await stand.dial(files).ended).toMatchObject({ code: status.UNAVAILABLE });
    expect(certificates.resolveCalls).toBe(before);
  });

  it('that falls between admission and opening refuses the stream', async () => {
    const id = await stand.backend();
    const files = await certificates.issue(id);
    const resolve = certificates.resolve.bind(certificates);
    // The answer of the certificate service is on its way when the revocation comes.
    certificates.resolve = async (request) => {
      const answer = await resolve(request);
      if (request.serialNumber === files.serial) await stand.revoke(files.serial);
      return answer;
    };
    const stream = stand.dial(files);
    expect(await stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    certificates.resolve = resolve;
    expect(stream.messages).toEqual([]);
    await stand.active(id, false);
  });

  it('that the bus has lost is made up by the poll, and by asking after live serials', async () => {
    const polled = await stand.connected();
    certificates.revoke(polled.files.serial);
    certificates.tell();
    expect(await polled.stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    const asked = await stand.connected();
    certificates.revoke(asked.files.serial);
    certificates.revocations.pop();
    await stand.get(LiveRecheck).run();
    expect(await asked.stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
  });

  it('is what the end of a certificate amounts to: the stream ends with it', async () => {
    const id = await stand.backend();
    const notAfter = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1_000);
    const stream = stand.dial(await certificates.issue(id, { notAfter }));
    await stream.opened;
    expect(await stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(stream.messages).toEqual([closed]);
    await stand.active(id, false);
    const last = (await stand.events(id)).at(-1)!;
    expect(last.data.reason).toBe('expired');
  });
});

describe('backends.md 16.4: the newest stream wins', () => {
  it('and the older one sees Terminate', async () => {
    const { id, files, stream } = await stand.connected();
    const second = stand.dial(files);
    await second.opened;
    expect(await stream.ended).toMatchObject({ code: status.ABORTED });
    expect(stream.messages).toEqual([
      { kind: 'terminate', value: { message: 'Backend Replaced' } },
    ]);
    expect(await stand.show(id)).toMatchObject({ active: true });
    const events = await stand.events(id);
    expect(events.map((event) => event.type)).toEqual([
      'backend.created',
      'backend.connected',
      'backend.disconnected',
      'backend.connected',
    ]);
    expect(events[2]?.data.reason).toBe('replaced');
    await terminate(id);
    expect(await second.ended).toMatchObject({ code: status.OK });
  });

  it('when many open at once: exactly one stays', async () => {
    const id = await stand.backend();
    const files = await certificates.issue(id);
    const streams = Array.from({ length: 8 }, () => stand.dial(files));
    const open = await waitFor(
      async () => {
        const held = stand.get(LiveStreams).ofSlot({ backendId: id, connection: 'main' });
        const [row] = await stand.store.query<{ stream_id: string; epoch: string }>(
          'SELECT stream_id, epoch FROM backend_streams WHERE backend_id = $1',
          [id],
        );
        return row?.epoch === '8' && held.length === 1 && held[0]?.facts.streamId === row.stream_id;
      },
      { what: 'one stream' },
    );
    expect(open).toBe(true);
    await terminate(id);
    await Promise.all(streams.map((stream) => stream.ended));
    await stand.active(id, false);
    const types = (await stand.events(id)).map((event) => event.type);
    expect(types.filter((type) => type === 'backend.connected')).toHaveLength(8);
    expect(types.filter((type) => type === 'backend.disconnected')).toHaveLength(8);
  });

  it('also over one connection', async () => {
    const id = await stand.backend();
    const files = await certificates.issue(id);
    const client = stand.client(files);
    const open = (): Promise<number> =>
      new Promise((resolve) => {
        client.open({ onMessage: () => undefined, onEnd: ({ code }) => resolve(code) });
      });
    const first = open();
    await stand.active(id, true);
    const second = open();
    expect(await first).toBe(status.ABORTED);
    await terminate(id);
    expect(await second).toBe(status.OK);
  });
});

describe('backends.md 16.10: a revoked issuer', () => {
  it('ends its streams with one event; others stay', async () => {
    const other = await stand.connected();
    const good = certificates.intermediate;
    const stolen = await certificates.addIntermediate();
    const { id, files, stream } = await stand.connected();
    const { sequence, revokedAt } = certificates.revokeIssuer(stolen.id);
    await stand.publish('issuer.revoked', stolen.id, {
      issuer_id: stolen.id,
      reason: 2,
      revoked_at: revokedAt.toISOString(),
      sequence,
    });
    expect(await stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    await stand.active(id, false);
    expect(await stand.dial(files).ended).toMatchObject({ code: status.UNAVAILABLE });
    const [alone] = files.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(await stand.dial({ ...files, cert: alone }).ended).toMatchObject({
      code: status.UNAVAILABLE,
    });
    const forged = await certificates.issue(id, { issuer: stolen });
    expect(await stand.dial(forged).ended).toMatchObject({ code: status.UNAVAILABLE });
    // What stands between the leaf and its issuer is no issuer of it.
    const [leaf, issuer] = forged.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    const hidden = { ...forged, cert: `${leaf}${toPem('CERTIFICATE', good.der)}${issuer}` };
    const resolved = certificates.resolveCalls;
    expect(await stand.dial(hidden).ended).toMatchObject({ code: status.UNAVAILABLE });
    expect(certificates.resolveCalls).toBe(resolved);
    expect(await stand.show(other.id)).toMatchObject({ active: true });
  });

  it('is noticed when the event was lost', async () => {
    const stolen = await certificates.addIntermediate();
    const { stream } = await stand.connected();
    certificates.revokeIssuer(stolen.id);
    certificates.tell();
    expect(await stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
  });
});
