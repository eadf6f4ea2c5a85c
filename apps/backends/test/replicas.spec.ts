import { EventsServer } from '@glacis/events';
import { status } from '@glacis/grpc';
import { jest } from '@jest/globals';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { DutyLoops } from '../src/monitoring/duty-loops.js';
import { LiveStreams } from '../src/streams/live-streams.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

/*
 * Two replicas on one database. Their buses are apart and one of them relays the outbox, so half of the messages are
 * lost to each: what these tests see is the path that makes up for it.
 */
jest.setTimeout(60_000);

let database: TestDatabase;
let certificates: FakeCertificates;
let one: Stand;
let two: Stand;

beforeEach(async () => {
  database = await testDatabase();
  certificates = await FakeCertificates.create();
  const options = { databaseUrl: database.url, settings: { lease: '900ms' } };
  one = await Stand.start(certificates, options);
  two = await Stand.start(certificates, options);
});
afterEach(async () => {
  await one?.stop();
  await two?.stop();
  await database.drop();
});

it('backends.md 16.4: the newest stream wins across two replicas; the older sees Terminate', async () => {
  const { id, files, stream } = await one.connected();
  const newer = two.dial(files);
  await newer.opened;
  expect(await stream.ended).toMatchObject({ code: status.ABORTED });
  expect(stream.messages).toEqual([{ kind: 'terminate', value: { message: 'Backend Replaced' } }]);
  expect(await one.show(id)).toMatchObject({ active: true });
  expect((await two.events(id)).map((event) => event.type)).toEqual([
    'backend.created',
    'backend.connected',
    'backend.disconnected',
    'backend.connected',
  ]);
});

it('a termination asked of one replica is carried out by the other, which finds it when it polls', async () => {
  const { id, stream } = await one.connected();
  expect((await two.send('POST', `/backends/terminate/${id}/1`)).status).toBe(204);
  expect(await stream.ended).toMatchObject({ code: status.OK });
  await two.active(id, false);
});

it('backends.md 16.7: a killed holder’s backend turns inactive and its requests are settled', async () => {
  const { id, files } = await one.connected();
  // As after kill -9: nobody renews the lease or hears a message.
  await one.get(DutyLoops).stop();
  await one.get(EventsServer).close();
  expect((await two.send('POST', `/backends/terminate/${id}/1`)).status).toBe(204);
  await two.active(id, false);
  const list = await waitFor(
    async () => {
      const reply = (await two.send('GET', `/backends/${id}/terminations`)).json();
      const [request] = reply.terminations as { state: string }[];
      return request?.state === 'closed' && reply;
    },
    { what: 'the request to be settled' },
  );
  expect(list).toMatchObject({ total: 1 });
  const last = (await two.events(id)).at(-1)!;
  expect(last).toMatchObject({ type: 'backend.disconnected', data: { reason: 'replica_lost' } });
  const again = two.dial(files);
  await again.opened;
  expect(await two.show(id)).toMatchObject({ active: true });
});

describe('the two streams of an agent, each on a replica of its own,', () => {
  const forwarder = { metadata: { 'connection-type': 'log-forwarder' } };

  it('backends.md 16.4: are each replaced by the newest of their own type alone', async () => {
    const { id, files, agent } = await one.connectedAgent();
    const forwarding = two.agent(files, forwarder);
    await forwarding.opened;
    const newer = two.agent(files);
    await newer.opened;
    expect(await agent.ended).toMatchObject({ code: status.ABORTED });
    expect(agent.messages).toEqual([{ kind: 'disconnect', value: { id } }]);
    const newest = one.agent(files, forwarder);
    await newest.opened;
    expect(await forwarding.ended).toMatchObject({ code: status.ABORTED });
    newer.end();
    await one.active(id, false);
    expect(one.get(LiveStreams).size).toBe(1);
  });

  it('are both ended by one termination', async () => {
    const { id, files, agent } = await one.connectedAgent();
    const forwarding = two.agent(files, forwarder);
    await forwarding.opened;
    expect((await two.send('POST', `/backends/terminate/${id}/1`)).status).toBe(204);
    expect(await agent.ended).toMatchObject({ code: status.OK });
    expect(await forwarding.ended).toMatchObject({ code: status.OK });
  });

  it('backends.md 16.7: are both told as lost when their holders die', async () => {
    const { id, files } = await one.connectedAgent();
    await one.agent(files, forwarder).opened;
    await one.get(DutyLoops).stop();
    await one.get(EventsServer).close();
    await two.active(id, false);
    const lost = await waitFor(async () => {
      const told = await two.events(id);
      const ends = told.filter(({ data }) => data.reason === 'replica_lost');
      return ends.length === 2 && ends;
    });
    expect(new Set(lost.map(({ data }) => data.connection_type))).toEqual(
      new Set([undefined, 'log-forwarder']),
    );
  });
});

it('a replica that was given up for lost ends its streams without Terminate', async () => {
  const { id, stream } = await one.connected();
  await two.store.query('DELETE FROM backend_streams WHERE backend_id = $1', [id]);
  expect(await stream.ended).toMatchObject({ code: status.UNAVAILABLE });
  expect(stream.messages).toEqual([]);
});

it('a replica that can record nothing any more ends its streams before another takes them for lost', async () => {
  const { stream } = await one.connected();
  await one.store.query('ALTER TABLE backend_streams RENAME TO away');
  expect(await stream.ended).toMatchObject({ code: status.UNAVAILABLE });
  await one.store.query('ALTER TABLE away RENAME TO backend_streams');
});

it('a shutdown ends streams with UNAVAILABLE, without Terminate, and frees their slots', async () => {
  const { id, stream } = await one.connected();
  const live = one.get(LiveStreams);
  const stopping = one.shutDown();
  expect(await stream.ended).toMatchObject({ code: status.UNAVAILABLE });
  await stopping;
  expect(stream.messages).toEqual([]);
  expect(live.size).toBe(0);
  expect(await two.show(id)).not.toHaveProperty('active');
  const last = (await two.events(id)).at(-1)!;
  expect(last.data.reason).toBe('shutdown');
});

it('a client blocked by one replica is dropped by the other', async () => {
  const id = await one.backend();
  const files = await certificates.issue(id, { tenant: 'tenant-b' });
  for (let i = 0; i < 3; i++) {
    expect((await one.dial(files).ended).code).toBe(status.PERMISSION_DENIED);
  }
  await waitFor(async () => (await two.dial(files).ended).code === status.UNAVAILABLE, {
    everyMs: 500,
    what: 'the block to be known',
  });
});
