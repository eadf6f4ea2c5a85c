import { jest } from '@jest/globals';
import { agentDialectNames, status, type ClientMessage } from '@glacis/grpc';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { Leases } from '../src/monitoring/leases.js';
import { Relay } from '../src/runs/relay.js';
import type { Relayed } from '../src/runs/relayed-event.js';
import { LiveStreams } from '../src/streams/live-streams.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let certificates: FakeCertificates;
let stand: Stand;

beforeAll(async () => {
  database = await testDatabase();
  certificates = await FakeCertificates.create();
  stand = await Stand.start(certificates, { databaseUrl: database.url });
});
afterAll(async () => {
  await stand?.stop();
  await database.drop();
});

const forwarder = { 'connection-type': 'log-forwarder', 'job-id': 'vm-1' };
const log = (message: string): ClientMessage & Relayed => ({
  kind: 'agentLog',
  value: { message, level: 'info', computationId: 'c', timestamp: undefined },
});
const logged = async (id: string): Promise<unknown[]> =>
  (await stand.events(id))
    .filter(({ type }) => type === 'backend.agent.log')
    .map(({ data }) => data.message);

describe('backends.md 9: the agent stream', () => {
  it.each(agentDialectNames)('takes agents of %s and shows how they speak', async (dialect) => {
    const { id, files, agent } = await stand.connectedAgent({
      dialect,
      metadata: { 'glacis-protocol': dialect },
    });
    expect(await stand.show(id)).toMatchObject({
      active: true,
      protocol: dialect,
      certificate_serial: files.serial,
      entity_type: 'cvm',
    });
    agent.send(log('hello'));
    await waitFor(async () => (await logged(id)).includes('hello'));
    agent.end();
    await stand.active(id, false);
  });

  it('admits certificates of VMs alone, and the manager stream none of them', async () => {
    const host = await stand.backend();
    const guest = await stand.backend({ entity_type: 'cvm' });
    const cases = [
      [await certificates.issue(host), stand.agentPort],
      [await certificates.issue(guest, { entityType: 'cvm' }), stand.managerPort],
      [await certificates.issue(host, { entityType: 'cvm' }), stand.agentPort],
      [await certificates.issue(guest), stand.agentPort],
      [await certificates.issue(guest, { entityType: 'cvm', tenant: 'u' }), stand.agentPort],
    ] as const;
    for (const [files, port] of cases) {
      const { code } = await stand.agent(files, { port }).ended;
      // Each port serves its own service only, so a stray client may as well find none.
      expect([status.PERMISSION_DENIED, status.UNIMPLEMENTED]).toContain(code);
    }
  });

  it('keeps the newest stream of each connection type', async () => {
    const { id, files, agent } = await stand.connectedAgent();
    const second = stand.agent(files, { metadata: forwarder });
    await second.opened;
    const again = stand.agent(files);
    await again.opened;
    expect(await agent.ended).toMatchObject({ code: status.ABORTED });
    second.send(log('still here'));
    await waitFor(async () => (await logged(id)).includes('still here'));
    const newer = stand.agent(files, { metadata: forwarder });
    await newer.opened;
    expect(await second.ended).toMatchObject({ code: status.ABORTED });
    again.send(log('me too'));
    await waitFor(async () => (await logged(id)).includes('me too'));
    expect(
      stand
        .get(LiveStreams)
        .all()
        .map(({ facts }) => facts.backendId),
    ).toEqual(expect.arrayContaining([id, id]));
    await stand.get(Leases).run();
    const told = (await stand.events(id)).filter(({ type }) => type === 'backend.connected');
    expect(told.map(({ data }) => data.connection_type)).toEqual([
      undefined,
      'log-forwarder',
      undefined,
      'log-forwarder',
    ]);
  });

  it('is connected by its agent, not by its log forwarder', async () => {
    const id = await stand.backend({ entity_type: 'cvm' });
    const files = await certificates.issue(id, { entityType: 'cvm' });
    const forwarding = stand.agent(files, { metadata: forwarder });
    await forwarding.opened;
    expect(await stand.show(id)).not.toHaveProperty('active');
    // It tells, and has nothing to answer.
    forwarding.send({ kind: 'agentState', value: { id: 'x', state: 'Running' } });
    forwarding.send(log('after'));
    await waitFor(async () => (await logged(id)).includes('after'));
    forwarding.end();
    await waitFor(async () => (await stand.events(id)).at(-1)?.type === 'backend.disconnected');
    expect((await stand.events(id)).at(-1)?.data.connection_type).toBe('log-forwarder');
  });

  it.each(agentDialectNames)(
    'ends an agent of %s by DisconnectReq where it has one',
    async (dialect) => {
      const { id, files, agent } = await stand.connectedAgent({
        dialect,
        metadata: { 'glacis-protocol': dialect },
      });
      const forwarding = stand.agent(files, { metadata: forwarder });
      await forwarding.opened;
      expect((await stand.send('POST', `/backends/terminate/${id}/1`)).status).toBe(204);
      expect(await agent.ended).toMatchObject({ code: status.OK });
      expect(await forwarding.ended).toMatchObject({ code: status.OK });
      expect(agent.messages.map(({ kind }) => kind)).toEqual(
        dialect === 'v0.5.0' ? [] : ['disconnect'],
      );
      expect(forwarding.messages).toEqual([]);
      await waitFor(async () => {
        const { terminations } = (await stand.send('GET', `/backends/${id}/terminations`)).json();
        return (terminations as { state: string }[]).every(({ state }) => state === 'closed');
      });
      // Told as delivered is what was sent: a log forwarder is only cut off, as an agent of v0.5.0 is.
      const told = (await stand.events(id)).filter(({ type }) => type === 'backend.terminated');
      expect(told).toHaveLength(2);
      expect(told.filter(({ data }) => data.delivered)).toHaveLength(dialect === 'v0.5.0' ? 0 : 1);
    },
  );

  it('cuts both streams of a revoked certificate, and refuses it from then on', async () => {
    const { files, agent } = await stand.connectedAgent();
    const forwarding = stand.agent(files, { metadata: forwarder });
    await forwarding.opened;
    await stand.revoke(files.serial);
    for (const cut of [agent, forwarding]) {
      expect(await cut.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    }
    expect(await stand.agent(files).ended).not.toMatchObject({ code: status.OK });
  });

  it('ends with its VM, whose certificates are revoked', async () => {
    const host = await stand.backend();
    const { id, agent } = await stand.connectedAgent({ body: { host } });
    expect((await stand.send('DELETE', `/backends/${host}`)).status).toBe(204);
    await agent.ended;
    expect((await stand.send('GET', `/backends/${id}`)).status).toBe(404);
    const told = (await stand.events(id)).map(({ type }) => type);
    expect(told.slice(-2)).toEqual(['backend.disconnected', 'backend.deleted']);
  });

  it('takes pins of agents alone', async () => {
    const body = { name: 'pinned', entity_type: 'cvm', protocol: 'seed' };
    expect((await stand.send('POST', '/backends', { body })).status).toBe(400);
    const id = await stand.backend({ entity_type: 'cvm', protocol: 'v0.9' });
    const put = (protocol: string): Promise<{ status: number }> =>
      stand.send('PUT', `/backends/${id}`, { body: { name: id, protocol } });
    expect((await put('v0.4')).status).toBe(400);
    expect((await put('v0.5.0')).status).toBe(200);
  });

  it('ends with INVALID_ARGUMENT on what is no message', async () => {
    const { agent } = await stand.connectedAgent();
    agent.sendBytes(Buffer.from('0a0a01', 'hex'));
    expect(await agent.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it('a log that no event can carry ends its own stream alone, and takes no other message along', async () => {
    const { id, agent } = await stand.connectedAgent();
    const other = await stand.connectedAgent();
    const streams = stand.get(LiveStreams);
    const push = (backendId: string, text: string): void => {
      const [stream] = streams.ofSlot({ backendId, connection: 'main' });
      stand.get(Relay).push(stream!, log(text), text.length);
    };
    // Of one turn, so of one transaction; as JSON each of these characters is six.
    push(other.id, 'before');
    push(id, '\u0001'.repeat(2 << 20));
    push(other.id, 'after');
    expect(await agent.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await logged(other.id)).toEqual(['before', 'after']);
    expect(streams.ofSlot({ backendId: other.id, connection: 'main' })).toHaveLength(1);
  });
});
