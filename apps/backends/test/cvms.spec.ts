import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { BackendsRpcService } from '../src/rpc/backends.rpc.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand } from './stand.js';

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

const cvm = (host?: string): Promise<string> => stand.backend({ entity_type: 'cvm', host });
const listed = async (query: string): Promise<unknown[]> => {
  const reply = await stand.send('GET', `/backends?limit=100&${query}`);
  return (reply.json().backends as { id: string }[]).map(({ id }) => id);
};

describe('a confidential VM is a backend', () => {
  it('with its type and host in its object, and in lists of its own', async () => {
    const host = await stand.backend();
    const guest = await cvm(host);
    const alone = await cvm();
    expect(await stand.show(guest)).toMatchObject({ id: guest, entity_type: 'cvm', host });
    expect(await stand.show(alone)).not.toHaveProperty('host');
    expect(await stand.show(host)).not.toHaveProperty('entity_type');
    const hosts = await listed('');
    expect(hosts).toContain(host);
    expect(hosts).not.toContain(guest);
    expect(await listed('entity_type=cvm')).toEqual(expect.arrayContaining([guest, alone]));
    expect(await listed(`entity_type=cvm&host=${host}`)).toEqual([guest]);
  });

  it('whose host must be one of the tenant', async () => {
    const guest = await cvm();
    const authorization = await stand.identity.bearer({ tenant: 'tenant-b' });
    const theirs = await stand.send('POST', '/backends', { authorization, body: { name: 'h' } });
    const foreign = String(theirs.headers.location).slice('/backends/'.length);
    for (const [host, status] of [
      [foreign, 404],
      [guest, 404],
      ['00000000-0000-4000-8000-000000000000', 404],
      ['no id', 400],
    ] as const) {
      const body = { name: `below ${host}`, entity_type: 'cvm', host };
      expect((await stand.send('POST', '/backends', { body })).status).toBe(status);
    }
    const body = { name: 'host below a host', host: await stand.backend() };
    expect((await stand.send('POST', '/backends', { body })).status).toBe(400);
    expect(
      (await stand.send('POST', '/backends', { body: { ...body, entity_type: 'x' } })).status,
    ).toBe(400);
  });

  it('that exists for the certificates of its type alone', async () => {
    const rpc = stand.get(BackendsRpcService);
    const ask = async (backendId: string, entityType: 'backend' | 'cvm'): Promise<boolean> =>
      (await rpc.checkNames({ tenant: 'tenant-a', backendId, entityType, names: [] })).exists;
    const host = await stand.backend();
    const guest = await cvm(host);
    expect(await ask(guest, 'cvm')).toBe(true);
    expect(await ask(guest, 'backend')).toBe(false);
    expect(await ask(host, 'cvm')).toBe(false);
  });

  it('and goes with its host, its certificates revoked as a VM’s', async () => {
    const host = await stand.backend();
    const guests = [await cvm(host), await cvm(host)];
    expect((await stand.send('DELETE', `/backends/${host}`)).status).toBe(204);
    for (const id of guests) {
      expect((await stand.send('GET', `/backends/${id}`)).status).toBe(404);
      expect(certificates.revokedEntities).toContainEqual(
        expect.objectContaining({ entityType: 'cvm', entityId: id }),
      );
      expect((await stand.events(id)).at(-1)).toMatchObject({
        type: 'backend.deleted',
        data: { backend_id: id, entity_type: 'cvm' },
      });
    }
  });
});
