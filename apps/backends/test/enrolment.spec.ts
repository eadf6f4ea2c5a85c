import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { FakeCertificates } from './fake-certificates.js';
import { Stand, type Reply, type Send } from './stand.js';

let database: TestDatabase;
let stand: Stand;

beforeAll(async () => {
  database = await testDatabase();
  stand = await Stand.start(await FakeCertificates.create(), { databaseUrl: database.url });
});
afterAll(async () => {
  await stand?.stop();
  await database.drop();
});

const make = (id: string, body: unknown, send: Send = {}): Promise<Reply> =>
  stand.send('POST', `/backends/${id}/enrolment-tokens`, { ...send, body });

describe('backends.md 2.2: enrolment tokens', () => {
  it('are made by the certificate service and told once', async () => {
    const id = await stand.backend();
    const reply = await make(id, { ttl: '1h', cidr: '10.1.0.0/16' });
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/json',
    });
    expect(Object.keys(reply.json())).toEqual(['token', 'expires_at', 'ca_sha256']);
    expect(stand.certificates.enrolments.at(-1)).toEqual({
      tenant: 'tenant-a',
      backendId: id,
      ttlSeconds: 3_600,
      cidr: '10.1.0.0/16',
      requestedBy: 'service:backends',
    });
    const audited = await stand.store.query(
      `SELECT detail FROM audit WHERE subject = $1 AND action = 'backend.enrolment_token'`,
      [id],
    );
    expect(audited).toEqual([{ detail: { ttl_seconds: 3_600, cidr: '10.1.0.0/16' } }]);
  });

  it('live for 15 minutes and open to any address where nothing else is said', async () => {
    const id = await stand.backend();
    for (const body of [undefined, {}, { cidr: '' }]) {
      expect((await make(id, body)).status).toBe(201);
      expect(stand.certificates.enrolments.at(-1)).toMatchObject({ ttlSeconds: 900, cidr: '' });
    }
  });

  it.each([
    [{ ttl: '61m' }, 'ttl'],
    [{ ttl: '1ms' }, 'ttl'],
    [{ ttl: 900 }, 'ttl'],
    [{ cidr: '10.0.0.1' }, 'cidr'],
    [{ cidr: '10.0.0.0/33' }, 'cidr'],
  ])('with %j are refused by the name of the member', async (body, field) => {
    const reply = await make(await stand.backend(), body);
    expect(reply.json()).toMatchObject({ status: 400, code: 'malformed', field });
  });

  it('are none for an unknown backend, for another tenant, or without a token', async () => {
    const id = await stand.backend();
    const stranger = await stand.identity.bearer({ tenant: 'tenant-b' });
    expect((await make(id, {}, { authorization: stranger })).status).toBe(404);
    expect((await make('ca219243-0dd4-4e6e-94ad-54fbf3dd8b32', {})).status).toBe(404);
    expect((await make(id, {}, { authorization: null })).status).toBe(401);
  });

  it('are 503 while the certificate service is away', async () => {
    const id = await stand.backend();
    stand.certificates.down = true;
    expect((await make(id, {})).json()).toMatchObject({ status: 503, code: 'unavailable' });
    stand.certificates.down = false;
  });
});
