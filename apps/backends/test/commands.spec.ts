import { createHash, generateKeyPairSync } from 'node:crypto';
import type { BackendsRpc } from '@glacis/contracts';
import { InProcessBus, type BusDriver } from '@glacis/events';
import { encodeRun, RpcDirectory, status, type DialectName } from '@glacis/grpc';
import { createLogger } from '@glacis/observability';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { LiveStreams } from '../src/streams/live-streams.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

/* Two replicas on one database; `one` holds the streams and `two` is asked. Whether they share a bus is up to a test. */
let database: TestDatabase;
let one: Stand;
let two: Stand;

const userKey = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
const hash = createHash('sha256').digest();
const run = (id: string): Buffer =>
  encodeRun({
    id,
    name: '',
    description: '',
    datasets: [],
    algorithm: { hash, userKey },
    resultConsumers: [],
    agentConfig: {
      port: '7002',
      host: '',
      certFile: '',
      keyFile: '',
      clientCaFile: '',
      serverCaFile: '',
      logLevel: '',
      attestedTls: false,
    },
  });

async function start(bus?: BusDriver): Promise<void> {
  database = await testDatabase();
  const certificates = await FakeCertificates.create();
  const options = { databaseUrl: database.url, bus, settings: { lease: '10m' } };
  one = await Stand.start(certificates, options);
  two = await Stand.start(certificates, options);
}

function sharedBus(): BusDriver {
  const bus = new InProcessBus({ logger: createLogger({ name: 'test', level: 'silent' }) });
  // The replicas come and go; the bus between them stays.
  return {
    publish: (messages) => bus.publish(messages),
    subscribe: (...args) => bus.subscribe(...args),
    listen: (...args) => bus.listen(...args),
    check: () => bus.check(),
    lags: () => bus.lags(),
    close: () => Promise.resolve(),
  };
}

afterEach(async () => {
  await one?.stop();
  await two?.stop();
  await database.drop();
});

const asked = (): BackendsRpc => two.get(RpcDirectory).client('backends');
const pinned = (dialect: DialectName) => one.connected({ dialect, body: { protocol: dialect } });
const left = (): Promise<unknown[]> => two.store.query('SELECT id FROM stream_commands');

it('backends.md 6: any replica runs and stops, and passes the holder’s refusals on', async () => {
  await start(sharedBus());
  const { id, stream } = await pinned('v0.4');
  const request = { backendId: id, computationRunReq: run('c') };
  expect(await asked().run(request)).toEqual({ accepted: true, queuePosition: 0 });
  await waitFor(() => stream.messages.length === 2, { what: 'the run' });
  await asked().stop({ backendId: id, computationId: 'c' });
  await waitFor(() => stream.messages.length === 3, { what: 'the stop' });
  expect(stream.messages[2]).toEqual({ kind: 'stop', value: { computationId: 'c' } });
  await expect(asked().stop({ backendId: id, computationId: 'd' })).rejects.toMatchObject({
    code: status.NOT_FOUND,
    reason: 'not-found',
    message: 'no such run on this backend',
  });
  expect(await left()).toEqual([]);
});

it('backends.md 6: any replica asks for information, in the name of its caller', async () => {
  await start(sharedBus());
  const { id, stream } = await pinned('v0.4');
  const reply = await two.send('POST', `/backends/${id}/information`);
  expect(reply.status).toBe(202);
  await waitFor(() => stream.messages.at(-1)?.kind === 'informationRequest');
  const old = await pinned('seed');
  const refused = await two.send('POST', `/backends/${old.id}/information`);
  expect(refused.json()).toMatchObject({ status: 409, code: 'dialect-cannot' });
  const audited = await two.store.query(
    `SELECT actor, detail->>'result' AS result FROM audit
     WHERE action = 'backend.information.request' ORDER BY at`,
  );
  expect(audited).toEqual([
    { actor: 'tester', result: 'accepted' },
    { actor: 'tester', result: 'dialect-cannot' },
  ]);
});

it('a run that another replica was asked for is audited in the name of its caller', async () => {
  await start(sharedBus());
  const { id } = await pinned('v0.4');
  const key = userKey.toString('base64');
  const body = { id: 'c', algorithm: { hash: [...hash], user_key: key }, agent_config: {} };
  expect((await two.send('POST', `/backends/${id}/runs`, { body })).status).toBe(202);
  const audited = await two.store.query(
    `SELECT action, actor, request_id IS NOT NULL AS asked, detail->>'result' AS result
     FROM audit WHERE action LIKE 'backend.run%' ORDER BY at`,
  );
  expect(audited).toEqual([
    { action: 'backend.run.request', actor: 'tester', asked: true, result: null },
    { action: 'backend.run', actor: 'tester', asked: true, result: 'accepted' },
  ]);
});

it('a command whose messages are lost is found by the holder, and its outcome by who asked', async () => {
  await start();
  const { id } = await pinned('v0.4');
  const request = { backendId: id, computationRunReq: run('c') };
  expect(await asked().run(request)).toEqual({ accepted: true, queuePosition: 0 });
});

it('a command that no holder takes is withdrawn: 503, and it is never carried out', async () => {
  await start();
  const { id, stream } = await pinned('v0.4');
  // As after kill -9: the slot is held still, and nobody is there.
  const live = one.get(LiveStreams);
  const all = live.all.bind(live);
  live.all = () => [];
  const request = { backendId: id, computationRunReq: run('c') };
  await expect(asked().run(request)).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    reason: 'held-elsewhere',
  });
  live.all = all;
  expect(await left()).toEqual([]);
  expect(stream.messages).toEqual([]);
});

it('of twelve commands sent at once through both replicas each is carried out once', async () => {
  await start(sharedBus());
  const { id, stream } = await pinned('v0.4');
  const here = one.get(RpcDirectory).client('backends');
  await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      (i % 3 === 0 ? here : asked()).run({ backendId: id, computationRunReq: run(`c${i}`) }),
    ),
  );
  await waitFor(() => stream.messages.length >= 24, { what: 'all runs' });
  const ids = stream.messages.flatMap((message) =>
    message.kind === 'runChunk' && message.value.isLast ? [message.value.id] : [],
  );
  expect(new Set(ids).size).toBe(12);
  expect(ids).toHaveLength(12);
  expect(await left()).toEqual([]);
});
