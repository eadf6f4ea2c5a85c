import type { BackendEvent, BackendsRpc } from '@glacis/contracts';
import { RpcDirectory, status } from '@glacis/grpc';
import { jest } from '@jest/globals';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { Watchers } from '../src/rpc/watchers.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

jest.setTimeout(60_000);

let database: TestDatabase;
let stand: Stand;
let rpc: BackendsRpc;

beforeAll(async () => {
  database = await testDatabase();
  stand = await Stand.start(await FakeCertificates.create(), { databaseUrl: database.url });
  rpc = stand.get(RpcDirectory).client('backends');
});
afterAll(async () => {
  await stand?.stop();
  await database.drop();
});

/** Watches a tenant; what is told is collected. */
function watch(tenant: string): { told: BackendEvent[]; stop: () => Promise<void> } {
  const enough = new AbortController();
  const told: BackendEvent[] = [];
  const watching = (async () => {
    for await (const event of rpc.watch({ tenant }, enough.signal)) told.push(event);
  })();
  const stop = (): Promise<void> => {
    enough.abort();
    return watching;
  };
  return { told, stop };
}

describe('backends.md 11: Watch', () => {
  it('tells what happens to the backends of a tenant, in order, and nothing of others', async () => {
    const ours = watch('tenant-a');
    const theirs = watch('tenant-b');
    const { id, agent } = await stand.connectedAgent();
    await stand.send('PUT', `/backends/${id}`, { body: { name: id } });
    await stand.send('POST', `/backends/terminate/${id}/1`);
    await agent.ended;
    await stand.active(id, false);
    await stand.send('DELETE', `/backends/${id}`);
    await waitFor(() => ours.told.at(-1)?.type === 'backend.deleted', { what: 'the last event' });
    expect(ours.told.map(({ type }) => type)).toEqual([
      'backend.created',
      'backend.connected',
      'backend.updated',
      'backend.termination.requested',
      'backend.terminated',
      'backend.disconnected',
      'backend.deleted',
    ]);
    expect(ours.told[1]).toMatchObject({
      tenant: 'tenant-a',
      subject: id,
      data: { backend_id: id, protocol: 'v0.10' },
    });
    await Promise.all([ours.stop(), theirs.stop()]);
    expect(theirs.told).toEqual([]);
  });

  it('ends for who is too slow, and forgets who has left', async () => {
    const watchers = new Watchers();
    const event = (n: number): BackendEvent => ({
      id: String(n),
      type: 'backend.created',
      time: new Date(),
      tenant: 't',
      subject: 'b',
      data: {},
    });
    const slow = watchers.watch('t', AbortSignal.timeout(20_000));
    const first = slow.next();
    watchers.tell(event(0));
    expect((await first).value).toMatchObject({ id: '0' });
    for (let n = 1; n <= 1_001; n++) watchers.tell(event(n));
    await expect(slow.next()).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    const gone = new AbortController();
    const left = watchers.watch('t', gone.signal);
    const waiting = left.next();
    gone.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('is bounded in number', async () => {
    const watchers = new Watchers();
    const leave = Array.from({ length: 256 }, () => new AbortController());
    const open = leave.map(({ signal }) => watchers.watch('t', signal).next());
    const another = watchers.watch('t', AbortSignal.timeout(20_000));
    await expect(another.next()).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    leave.forEach((watcher) => watcher.abort());
    await Promise.all(open);
    const again = watchers.watch('t', AbortSignal.abort());
    expect(await again.next()).toEqual({ done: true, value: undefined });
  });
});
