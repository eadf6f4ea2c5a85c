import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { BackendsRpc } from '@glacis/contracts';
import {
  decodeRun,
  encodeRun,
  RpcDirectory,
  status,
  type ComputationRun,
  type DialectName,
  type ServerMessage,
} from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { FakeCertificates } from './fake-certificates.js';
import { Stand, type DialedStream } from './stand.js';

let database: TestDatabase;
let stand: Stand;
let rpc: BackendsRpc;

beforeAll(async () => {
  database = await testDatabase();
  stand = await Stand.start(await FakeCertificates.create(), {
    databaseUrl: database.url,
    settings: { runQueue: '2' },
  });
  rpc = stand.get(RpcDirectory).client('backends');
});
afterAll(async () => {
  await stand?.stop();
  await database.drop();
});

const unknown = '00000000-0000-4000-8000-000000000000';

describe('backends.md 16.11: CheckNames', () => {
  it('tells own, free, the tenant’s and another tenant’s names, in canonical form', async () => {
    const own = await stand.backend({ address: '10.3.0.1:7001' });
    await stand.backend({ address: 'Peer.Example' });
    const authorization = await stand.identity.bearer({ tenant: 'tenant-b' });
    await stand.send('POST', '/backends', {
      authorization,
      body: { name: 'theirs', address: '2001:db8::7' },
    });
    const names = ['10.3.0.1', 'peer.example', '2001:DB8:0:0::7', 'free.example', '*.wild', ''];
    expect(
      await rpc.checkNames({ tenant: 'tenant-a', backendId: own, entityType: 'backend', names }),
    ).toEqual({
      exists: true,
      addressIsOurs: true,
      holders: [1, 2, 3, 0, 0, 0],
    });
    expect(
      await rpc.checkNames({ tenant: 'tenant-b', backendId: own, entityType: 'backend', names }),
    ).toEqual({
      exists: false,
      addressIsOurs: false,
      holders: [3, 3, 2, 0, 0, 0],
    });
    expect(
      await rpc.checkNames({
        tenant: 'tenant-a',
        backendId: 'no id',
        entityType: 'backend',
        names: [],
      }),
    ).toEqual({
      exists: false,
      addressIsOurs: false,
      holders: [],
    });
  });

  it('counts the oldest registration of an address that two tenants have', async () => {
    const first = await stand.backend({ address: '10.3.1.1' });
    const authorization = await stand.identity.bearer({ tenant: 'tenant-b' });
    const reply = await stand.send('POST', '/backends', {
      authorization,
      body: { name: 'late', address: '10.3.1.1' },
    });
    const second = String(reply.headers.location).slice('/backends/'.length);
    const names = ['10.3.1.1'];
    expect(
      await rpc.checkNames({ tenant: 'tenant-a', backendId: first, entityType: 'backend', names }),
    ).toEqual({
      exists: true,
      addressIsOurs: true,
      holders: [1],
    });
    expect(
      await rpc.checkNames({ tenant: 'tenant-b', backendId: second, entityType: 'backend', names }),
    ).toEqual({
      exists: true,
      addressIsOurs: false,
      holders: [1],
    });
    // Another backend of the second tenant is told that the first tenant has it.
    const third = await stand.send('POST', '/backends', { authorization, body: { name: 'third' } });
    const thirdId = String(third.headers.location).slice('/backends/'.length);
    expect(
      await rpc.checkNames({
        tenant: 'tenant-b',
        backendId: thirdId,
        entityType: 'backend',
        names,
      }),
    ).toMatchObject({
      holders: [3],
    });
    // Moving away and back loses the age.
    await stand.send('PUT', `/backends/${first}`, { body: { name: first, address: '' } });
    await stand.send('PUT', `/backends/${first}`, { body: { name: first, address: '10.3.1.1' } });
    expect(
      await rpc.checkNames({ tenant: 'tenant-a', backendId: first, entityType: 'backend', names }),
    ).toMatchObject({
      addressIsOurs: false,
    });
  });
});

describe('Get and Terminate', () => {
  it('know a backend whatever its tenant', async () => {
    const id = await stand.backend({ name: 'known', address: '10.4.0.1' });
    expect(await rpc.get({ id })).toEqual({
      id,
      tenant: 'tenant-a',
      name: 'known',
      address: '10.4.0.1',
    });
    await expect(rpc.get({ id: unknown })).rejects.toMatchObject({ code: status.NOT_FOUND });
    const wish = { backendId: id, type: 1, requestedBy: 'operator' } as const;
    expect(await rpc.terminate(wish)).toEqual({ requestId: expect.any(String) });
    await expect(rpc.terminate({ ...wish, backendId: unknown })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('joins a repeated request to the open one', async () => {
    const { id, stream } = await stand.connected({ obeys: false });
    const wish = { backendId: id, type: 1, requestedBy: 'operator' } as const;
    const [first, second] = await Promise.all([rpc.terminate(wish), rpc.terminate(wish)]);
    expect(second).toEqual(first);
    expect(await stream.ended).toMatchObject({ code: status.OK });
  });
});

const key = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
const onCurve = (namedCurve: string): Buffer =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'der' });
const run = (id: string, changes: Partial<ComputationRun> = {}): ComputationRun => ({
  id,
  name: 'sum',
  description: '',
  datasets: [{ hash: randomBytes(32), userKey: key, filename: 'a.csv' }],
  algorithm: { hash: randomBytes(32), userKey: key },
  resultConsumers: [{ userKey: key }],
  agentConfig: {
    port: '7002',
    host: '',
    certFile: '',
    keyFile: '',
    clientCaFile: '',
    serverCaFile: '',
    logLevel: 'debug',
    attestedTls: false,
  },
  ...changes,
});
const send = (backendId: string, computation: ComputationRun) =>
  rpc.run({ backendId, computationRunReq: encodeRun(computation) });
const received = (stream: DialedStream, count: number): Promise<ServerMessage[]> =>
  waitFor(() => stream.messages.length >= count && stream.messages, { what: `${count} messages` });
const answer = (stream: DialedStream, computationId: string): Promise<void> =>
  stream.send({ kind: 'runResponse', value: { computationId, agentPort: '6100' } });
const pinned = (dialect: DialectName) => stand.connected({ dialect, body: { protocol: dialect } });

describe('backends.md 16.6: runs', () => {
  it.each(['seed', 'v0.2'] as const)('go to %s as one request', async (dialect) => {
    const { id, stream } = await pinned(dialect);
    const computation = run('c1');
    expect(await send(id, computation)).toEqual({ accepted: true, queuePosition: 0 });
    const [message] = await received(stream, 1);
    expect(message).toMatchObject({
      kind: 'run',
      value: { id: 'c1', agentConfig: { port: '7002' } },
    });
  });

  it.each(['v0.3', 'v0.4'] as const)(
    'go to %s in pieces and an empty last one',
    async (dialect) => {
      const { id, stream } = await pinned(dialect);
      const computation = run('c1', { description: 'x'.repeat(2_500_000) });
      await send(id, computation);
      const pieces = (await received(stream, 4)).map((message) => {
        if (message.kind !== 'runChunk') throw new Error(message.kind);
        return message.value;
      });
      expect(pieces.map((piece) => [piece.id, piece.isLast])).toEqual([
        ['c1', false],
        ['c1', false],
        ['c1', false],
        ['c1', true],
      ]);
      expect(pieces.at(-1)!.data).toHaveLength(0);
      expect(Math.max(...pieces.map((piece) => piece.data.length))).toBe(1024 * 1024);
      expect(decodeRun(Buffer.concat(pieces.map((piece) => piece.data)))).toEqual(computation);
    },
  );

  const fatal: [string, Partial<ComputationRun>][] = [
    ['no id', { id: '' }],
    ['no algorithm', { algorithm: undefined }],
    ['no agent configuration', { agentConfig: undefined }],
    ['a short algorithm hash', { algorithm: { hash: randomBytes(31), userKey: key } }],
    ['a long dataset hash', { datasets: [{ hash: randomBytes(33), userKey: key, filename: '' }] }],
    [
      'an empty dataset hash',
      { datasets: [{ hash: Buffer.alloc(0), userKey: key, filename: '' }] },
    ],
    ['no algorithm key', { algorithm: { hash: randomBytes(32), userKey: Buffer.alloc(0) } }],
    ['a consumer key that is none', { resultConsumers: [{ userKey: Buffer.from('no key') }] }],
    ['a NUL in its id', { id: 'a\0b' }],
    ['bytes behind a key', { resultConsumers: [{ userKey: Buffer.concat([key, Buffer.of(0)]) }] }],
    ['a key on secp256k1', { resultConsumers: [{ userKey: onCurve('secp256k1') }] }],
    ['a key on brainpoolP256r1', { resultConsumers: [{ userKey: onCurve('brainpoolP256r1') }] }],
    ['32 MiB', { description: 'x'.repeat(32 * 1024 * 1024) }],
  ];
  it.each(fatal)('with %s are refused and never sent', async (_, changes) => {
    const { id, stream } = await pinned('v0.4');
    await expect(send(id, run('bad', changes))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    await send(id, run('good'));
    for (const message of await received(stream, 2)) {
      expect(message).toMatchObject({ kind: 'runChunk', value: { id: 'good' } });
    }
  });

  it('that cannot be decoded, or exceed one message of seed and v0.2, are refused', async () => {
    const { id } = await pinned('seed');
    const garbage = { backendId: id, computationRunReq: Buffer.from('garbage') };
    await expect(rpc.run(garbage)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    const long = run('long', { description: 'x'.repeat(4 * 1024 * 1024) });
    await expect(send(id, long)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('need a connection, a known backend and a known dialect', async () => {
    const idle = await stand.backend();
    await expect(send(idle, run('c'))).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
    await expect(send(unknown, run('c'))).rejects.toMatchObject({ code: status.NOT_FOUND });
    const ambiguous = await stand.connected({ dialect: 'v0.3', userAgent: 'grpc-go/1.65.0' });
    await expect(send(ambiguous.id, run('c'))).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: 'dialect-ambiguous',
    });
    const body = { name: ambiguous.id, protocol: 'v0.3' };
    await stand.send('PUT', `/backends/${ambiguous.id}`, { body });
    expect(await send(ambiguous.id, run('c'))).toMatchObject({ accepted: true });
    expect((await received(ambiguous.stream, 2))[0]).toMatchObject({ kind: 'runChunk' });
  });

  it('start one at a time on seed: an answer or a failure lets the next one go', async () => {
    const { id, stream } = await pinned('seed');
    const places = [];
    for (const name of ['a', 'b', 'c']) places.push((await send(id, run(name))).queuePosition);
    expect(places).toEqual([0, 1, 2]);
    await expect(send(id, run('d'))).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(await received(stream, 1)).toHaveLength(1);
    await answer(stream, 'other');
    await answer(stream, 'a');
    expect((await received(stream, 2))[1]).toMatchObject({ value: { id: 'b' } });
    await stream.send({
      kind: 'agentEvent',
      value: {
        eventType: 'vm-provision',
        status: 'Failed',
        computationId: 'b',
        originator: 'manager',
        details: Buffer.alloc(0),
        timestamp: undefined,
      },
    });
    expect((await received(stream, 3))[2]).toMatchObject({ value: { id: 'c' } });
  });

  it('may have keys on P-224 to P-521, RSA and Ed25519', async () => {
    const { id } = await pinned('v0.4');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const keys = [
      ...['secp224r1', 'prime256v1', 'secp384r1', 'secp521r1'].map(onCurve),
      rsa.export({ type: 'spki', format: 'der' }),
      key,
    ];
    const resultConsumers = keys.map((userKey) => ({ userKey }));
    expect(await send(id, run('c', { resultConsumers }))).toMatchObject({ accepted: true });
  });

  it('that wait when their stream ends are told as dropped, and are unknown to a stop', async () => {
    const dial = {
      dialect: 'v0.2',
      metadata: { 'glacis-protocol': 'v0.2', 'glacis-manager-instance': 'one' },
    } as const;
    const { id, files, stream } = await stand.connected(dial);
    await send(id, run('sent'));
    await send(id, run('waiting'));
    await received(stream, 1);
    stream.end();
    await stand.active(id, false);
    const told = (await stand.events(id)).filter(({ type }) => type === 'backend.run.dropped');
    expect(told.map(({ data }) => data.computation_id)).toEqual(['waiting']);
    const again = stand.dial(files, dial);
    await again.opened;
    const stop = (computationId: string) => rpc.stop({ backendId: id, computationId });
    await expect(stop('waiting')).rejects.toMatchObject({ code: status.NOT_FOUND });
    await stop('sent');
    expect(await received(again, 1)).toEqual([{ kind: 'stop', value: { computationId: 'sent' } }]);
  });

  it('backends.md 13: are audited with serial and result, refused ones too', async () => {
    const { id, files } = await pinned('v0.3');
    await send(id, run('a'));
    await expect(send(id, run('b'))).rejects.toMatchObject({ reason: 'one-run-per-stream' });
    await expect(rpc.stop({ backendId: id, computationId: 'c' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    const told = await stand.store.query(
      `SELECT action, detail->>'computation_id' AS id, detail->>'serial' AS serial,
         detail->>'result' AS result
       FROM audit WHERE subject = $1 AND action IN ('backend.run', 'backend.stop') ORDER BY 2`,
      [id],
    );
    const { serial } = files;
    expect(told).toEqual([
      { action: 'backend.run', id: 'a', serial, result: 'accepted' },
      { action: 'backend.run', id: 'b', serial, result: 'one-run-per-stream' },
      { action: 'backend.stop', id: 'c', serial, result: 'not-found' },
    ]);
  });

  it('bug: what was asked of a host that is not connected was audited over REST alone', async () => {
    const id = await stand.backend();
    const reason = 'not-connected';
    await expect(send(id, run('a'))).rejects.toMatchObject({ reason });
    await expect(rpc.stop({ backendId: id, computationId: 'b' })).rejects.toMatchObject({ reason });
    const told = await stand.store.query(
      `SELECT actor, tenant, action, detail->>'computation_id' AS id FROM audit
       WHERE subject = $1 AND action LIKE 'backend.%.request' ORDER BY at`,
      [id],
    );
    const wish = { actor: 'computations', tenant: 'tenant-a' };
    expect(told).toEqual([
      { ...wish, action: 'backend.run.request', id: 'a' },
      { ...wish, action: 'backend.stop.request', id: 'b' },
    ]);
  });

  it('are one per stream on v0.3, until the manager reconnects', async () => {
    const { id, files, stream } = await pinned('v0.3');
    await send(id, run('a'));
    await answer(stream, 'a');
    await expect(send(id, run('b'))).rejects.toMatchObject({ reason: 'one-run-per-stream' });
    const again = stand.dial(files, { dialect: 'v0.3' });
    await again.opened;
    await send(id, run('b'));
    expect((await received(again, 2))[0]).toMatchObject({ value: { id: 'b' } });
  });
});

describe('stops', () => {
  const stop = (backendId: string, computationId: string) => rpc.stop({ backendId, computationId });

  it('go out for what this stream started, and are 404 and never sent for the rest', async () => {
    const { id, stream } = await pinned('v0.4');
    await expect(stop(id, 'c')).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(stop(id, 'a\0b')).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await send(id, run('c'));
    await stop(id, 'c');
    expect((await received(stream, 3))[2]).toEqual({ kind: 'stop', value: { computationId: 'c' } });
  });

  it('go out for what an earlier stream of the same manager process started, not of another', async () => {
    const dial = {
      dialect: 'v0.4',
      metadata: { 'glacis-protocol': 'v0.4', 'glacis-manager-instance': 'one' },
    } as const;
    const { id, files, stream } = await stand.connected(dial);
    await send(id, run('c'));
    await received(stream, 2);
    const same = stand.dial(files, dial);
    await same.opened;
    await stop(id, 'c');
    expect(await received(same, 1)).toEqual([{ kind: 'stop', value: { computationId: 'c' } }]);
    const metadata = { ...dial.metadata, 'glacis-manager-instance': 'two' };
    const other = stand.dial(files, { ...dial, metadata });
    await other.opened;
    await expect(stop(id, 'c')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('take a run out of the queue, and are refused where the dialect has none', async () => {
    const { id, stream } = await pinned('seed');
    await send(id, run('a'));
    await send(id, run('b'));
    await stop(id, 'b');
    await expect(stop(id, 'b')).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(stop(id, 'a')).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
    await send(id, run('c'));
    await answer(stream, 'a');
    expect((await received(stream, 2))[1]).toMatchObject({ value: { id: 'c' } });
  });
});
