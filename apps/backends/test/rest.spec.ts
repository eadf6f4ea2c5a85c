import * as fc from 'fast-check';
import { waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { AbandonedDeletions } from '../src/monitoring/abandoned-deletions.js';
import { LiveStreams } from '../src/streams/live-streams.js';
import { FakeCertificates } from './fake-certificates.js';
import { Stand, type Reply } from './stand.js';

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

/** A member of a tenant that no other test uses. */
let tenants = 0;
const newcomer = async (roles = ['member']): Promise<{ tenant: string; authorization: string }> => {
  const tenant = `tenant-${++tenants}`;
  return { tenant, authorization: await stand.identity.bearer({ tenant, roles }) };
};
const idOf = (reply: Reply): string => String(reply.headers.location).slice('/backends/'.length);
const unknown = '00000000-0000-4000-8000-000000000000';

const dell = {
  name: 'my dell server',
  description: 'some description',
  address: '192.168.100.4',
};

describe('backends.md 16.1: REST bytes', () => {
  it('of create: 201, Location, empty body with type and length', async () => {
    const { authorization } = await newcomer();
    for (const path of ['/backends', '/backends/backend']) {
      const body = { name: `at ${path}` };
      const reply = await stand.send('POST', path, { authorization, body });
      expect(reply.status).toBe(201);
      expect(reply.headers.location).toMatch(/^\/backends\/[0-9a-f-]{36}$/);
      expect(reply.headers['content-type']).toBe('application/json');
      expect(reply.headers['content-length']).toBe('0');
      expect(reply.text).toBe('');
    }
  });

  it('of view and list: keys in order, empty ones omitted, one line feed, counted', async () => {
    const { authorization } = await newcomer();
    const id = idOf(await stand.send('POST', '/backends', { authorization, body: dell }));
    const view = await stand.send('GET', `/backends/${id}`, { authorization });
    const object = `{"id":"${id}","name":"my dell server","description":"some description","address":"192.168.100.4"}`;
    expect(view.text).toBe(`${object}\n`);
    expect(view.headers['content-length']).toBe('129');
    expect(view.headers['content-type']).toBe('application/json');
    expect(view.headers.etag).toMatch(/^"[^"]+"$/);
    for (const path of ['/backends', '/backends/backends']) {
      const list = await stand.send('GET', path, { authorization });
      expect(list.text).toBe(`{"total":1,"limit":10,"backends":[${object}]}\n`);
      expect(list.headers['content-length']).toBe('165');
    }
    const beyond = await stand.send('GET', '/backends?offset=5&limit=2', { authorization });
    expect(beyond.text).toBe('{"total":1,"offset":5,"limit":2,"backends":[]}\n');
  });

  it('of an empty list', async () => {
    const { authorization } = await newcomer();
    const list = await stand.send('GET', '/backends', { authorization });
    expect(list.text).toBe('{"total":0,"limit":10,"backends":[]}\n');
  });

  it('of a connected backend, in the order of the specification', async () => {
    const { id, files } = await stand.connected({ body: { address: '192.168.7.4' } });
    const { text } = await stand.send('GET', `/backends/${id}`);
    expect(text.replace(/"name":"[^"]*"/, '"name":"N"')).toMatch(
      new RegExp(
        `^\\{"id":"${id}","name":"N","address":"192.168.7.4","active":true,` +
          '"last_seen":"\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z","protocol":"seed",' +
          `"certificate_serial":"${files.serial}"\\}\n$`,
      ),
    );
  });

  it('of replace and delete: 200 with length 0, 204 without', async () => {
    const { authorization } = await newcomer();
    const id = idOf(await stand.send('POST', '/backends', { authorization, body: dell }));
    const put = await stand.send('PUT', `/backends/${id}`, { authorization, body: { name: 'x' } });
    expect([put.status, put.text, put.headers['content-length']]).toEqual([200, '', '0']);
    expect(put.headers['content-type']).toBe('application/json');
    expect((await stand.send('GET', `/backends/${id}`, { authorization })).text).toBe(
      `{"id":"${id}","name":"x","address":""}\n`,
    );
    const removed = await stand.send('DELETE', `/backends/${id}`, { authorization });
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect(removed.headers['content-type']).toBe('application/json');
    expect(removed.headers['content-length']).toBeUndefined();
  });

  it('of errors', async () => {
    const { authorization } = await newcomer();
    await stand.send('POST', '/backends', { authorization, body: dell });
    const taken = await stand.send('POST', '/backends/backend', { authorization, body: dell });
    expect(taken.status).toBe(409);
    expect(taken.headers['content-type']).toBe('application/problem+json');
    expect(taken.json()).toMatchObject({
      type: 'https://glacis.dev/problems/backend-exists',
      title: 'Conflict',
      status: 409,
      detail: "a backend named 'my dell server' exists",
      instance: '/backends/backend',
      error: 'name already taken',
      message: 'entity already exists',
    });
  });
});

describe('names and addresses', () => {
  it('are unique in a tenant, in canonical form, and free in another', async () => {
    const { authorization } = await newcomer();
    const create = (body: object): Promise<Reply> =>
      stand.send('POST', '/backends', { authorization, body });
    expect((await create({ name: 'a', address: '2001:DB8:0::1' })).status).toBe(201);
    const same = await create({ name: 'b', address: '2001:db8::1' });
    expect([same.status, same.json().error]).toEqual([409, 'address already taken']);
    expect((await create({ name: 'b', address: 'Host.Example' })).status).toBe(201);
    expect((await create({ name: 'c', address: 'host.example.' })).status).toBe(409);
    expect((await create({ name: 'c', address: 'host.example:7001' })).status).toBe(201);
    expect((await create({ name: 'A', address: '' })).status).toBe(201);
    expect((await create({ name: 'd', address: '' })).status).toBe(201);
    const other = await newcomer();
    const elsewhere = {
      authorization: other.authorization,
      body: { name: 'a', address: '2001:db8::1' },
    };
    expect((await stand.send('POST', '/backends', elsewhere)).status).toBe(201);
  });

  it('give one 201 and else 409 when created at the same time', async () => {
    const { authorization } = await newcomer();
    const replies = await Promise.all(
      Array.from({ length: 12 }, () =>
        stand.send('POST', '/backends', { authorization, body: dell }),
      ),
    );
    const statuses = replies.map((reply) => reply.status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(11);
  });

  it('are checked again by PUT', async () => {
    const { authorization } = await newcomer();
    await stand.send('POST', '/backends', { authorization, body: dell });
    const id = idOf(await stand.send('POST', '/backends', { authorization, body: { name: 'x' } }));
    const put = (body: object): Promise<Reply> =>
      stand.send('PUT', `/backends/${id}`, { authorization, body });
    expect((await put(dell)).status).toBe(409);
    expect((await put({ name: 'x', address: dell.address })).status).toBe(409);
    expect((await put({ name: 'x', address: '10.0.0.1', protocol: 'v0.3' })).status).toBe(200);
    const shown = (await stand.send('GET', `/backends/${id}`, { authorization })).json();
    expect(shown).toEqual({ id, name: 'x', address: '10.0.0.1', protocol: 'v0.3' });
    expect((await put({ name: 'y' })).status).toBe(200);
    expect((await stand.send('GET', `/backends/${id}`, { authorization })).json()).toEqual({
      id,
      name: 'y',
      address: '',
      protocol: 'v0.3',
    });
    expect((await put({ name: 'y', protocol: 'auto' })).status).toBe(200);
    expect((await stand.send('GET', `/backends/${id}`, { authorization })).json()).toEqual({
      id,
      name: 'y',
      address: '',
    });
  });
});

describe('concurrency and repeats', () => {
  it('honours If-Match on PUT and DELETE', async () => {
    const id = await stand.backend();
    const tag = String((await stand.send('GET', `/backends/${id}`)).headers.etag);
    const put = (ifMatch: string, name: string): Promise<Reply> =>
      stand.send('PUT', `/backends/${id}`, { body: { name }, headers: { 'if-match': ifMatch } });
    expect((await put('"other"', `n ${id}`)).status).toBe(412);
    expect((await put(tag, `n ${id}`)).status).toBe(200);
    expect((await put(tag, `m ${id}`)).status).toBe(412);
    const remove = (ifMatch: string): Promise<Reply> =>
      stand.send('DELETE', `/backends/${id}`, { headers: { 'if-match': ifMatch } });
    expect((await remove(tag)).status).toBe(412);
    expect((await remove('*')).status).toBe(204);
    expect((await remove('*')).status).toBe(404);
  });

  it('repeats the first answer for an Idempotency-Key, and refuses another body', async () => {
    const { authorization } = await newcomer();
    const create = (key: string, body: object): Promise<Reply> =>
      stand.send('POST', '/backends', { authorization, body, headers: { 'idempotency-key': key } });
    const first = await create('k1', { name: 'one' });
    const again = await create('k1', { name: 'one' });
    expect(again.headers.location).toBe(first.headers.location);
    expect(again.status).toBe(201);
    expect((await create('k1', { name: 'two' })).status).toBe(422);
    // The older path is the same operation.
    const older = await stand.send('POST', '/backends/backend', {
      authorization,
      body: { name: 'two' },
      headers: { 'idempotency-key': 'k1' },
    });
    expect(older.status).toBe(422);
    expect((await create('k2', { name: 'one' })).status).toBe(409);
  });

  it('tells every change in events and in the audit trail, in one transaction with it', async () => {
    const id = await stand.backend({ name: 'told', address: '10.1.1.1' });
    await stand.send('PUT', `/backends/${id}`, { body: { name: 'told', address: '10.1.1.2' } });
    await stand.send('PUT', `/backends/${id}`, { body: { name: 'told', address: '10.1.1.2' } });
    await stand.send('DELETE', `/backends/${id}`);
    const events = await stand.events(id);
    expect(events.map((event) => event.type)).toEqual([
      'backend.created',
      'backend.updated',
      'backend.deleted',
    ]);
    expect(events[1]?.data).toEqual({
      backend_id: id,
      name: 'told',
      address: '10.1.1.2',
      changed: ['address'],
    });
    const audit = await stand.store.query<{ action: string; actor: string }>(
      'SELECT action, actor FROM audit WHERE subject = $1 ORDER BY id',
      [id],
    );
    expect(audit.map((row) => row.action)).toEqual([
      'backend.created',
      'backend.updated',
      'backend.delete',
    ]);
  });
});

describe('lists', () => {
  it('filter by name and activity and sort in both directions', async () => {
    const { authorization } = await newcomer();
    for (const name of ['b 1%', 'a_2', 'c 3']) {
      await stand.send('POST', '/backends', { authorization, body: { name } });
    }
    const names = async (query: string): Promise<unknown[]> => {
      const reply = await stand.send('GET', `/backends?${query}`, { authorization });
      return (reply.json().backends as { name: string }[]).map((one) => one.name);
    };
    expect(await names('')).toEqual(['b 1%', 'a_2', 'c 3']);
    expect(await names('dir=desc')).toEqual(['c 3', 'a_2', 'b 1%']);
    expect(await names('order=name')).toEqual(['a_2', 'b 1%', 'c 3']);
    expect(await names('order=last_seen&dir=desc')).toHaveLength(3);
    expect(await names('name=%25')).toEqual(['b 1%']);
    expect(await names('name=_')).toEqual(['a_2']);
    expect(await names('active=true')).toEqual([]);
    expect(await names('active=false&limit=1&offset=1')).toEqual(['a_2']);
  });

  it('put the one seen last first and those never seen at the end', async () => {
    const { id } = await stand.connected();
    const reply = await stand.send('GET', '/backends?order=last_seen&dir=desc&limit=1');
    expect((reply.json().backends as { id: string }[])[0]?.id).toBe(id);
    const live = await stand.send('GET', '/backends?active=true&limit=100');
    expect((live.json().backends as { id: string }[]).map((one) => one.id)).toContain(id);
  });
});

describe('another tenant', () => {
  it('sees nothing of a backend: every route answers as for an unknown one', async () => {
    const id = await stand.backend();
    const { authorization } = await newcomer(['member', 'admin']);
    const routes: [string, string, unknown?][] = [
      ['GET', ''],
      ['PUT', '', { name: 'mine now' }],
      ['DELETE', ''],
      ['GET', '/terminations'],
    ];
    for (const [method, rest, body] of routes) {
      const theirs = await stand.send(method, `/backends/${id}${rest}`, { authorization, body });
      const nobodys = await stand.send(method, `/backends/${unknown}${rest}`, {
        authorization,
        body,
      });
      expect(theirs.status).toBe(404);
      const strip = (reply: Reply): object => ({
        ...reply.json(),
        instance: '',
        request_id: '',
      });
      expect(strip(theirs)).toEqual(strip(nobodys));
    }
    for (const method of ['GET', 'POST']) {
      const path = `/backends/terminate/${id}/1`;
      expect((await stand.send(method, path, { authorization })).status).toBe(404);
    }
    expect((await stand.send('GET', `/backends/${id}`)).status).toBe(200);
  });

  it('is nobody without a token, and forbidden without a tenant', async () => {
    for (const [method, path] of [
      ['GET', '/backends'],
      ['POST', '/backends'],
      ['GET', `/backends/${unknown}`],
      ['PUT', `/backends/${unknown}`],
      ['DELETE', `/backends/${unknown}`],
      ['GET', `/backends/terminate/${unknown}/1`],
      ['POST', `/backends/terminate/${unknown}/1`],
      ['GET', `/backends/${unknown}/terminations`],
    ] as const) {
      expect((await stand.send(method, path, { authorization: null })).status).toBe(401);
      const authorization = await stand.identity.bearer({ tenant: null });
      expect((await stand.send(method, path, { authorization })).status).toBe(403);
    }
  });
});

describe('bad input', () => {
  const long = 'x'.repeat(5000);
  const bodies: [string, unknown][] = [
    ['name', {}],
    ['name', { name: null }],
    ['name', { name: 7 }],
    ['name', { name: '' }],
    ['name', { name: ' \t ' }],
    ['name', { name: 'x'.repeat(1025) }],
    ['name', { name: 'a\u0000b' }],
    ['name', { name: 'a\nb' }],
    ['name', { name: 'lone \ud800' }],
    ['description', { name: 'ok', description: 1 }],
    ['description', { name: 'ok', description: long }],
    ['description', { name: 'ok', description: 'a\u0000b' }],
    ['address', { name: 'ok', address: 5 }],
    ['address', { name: 'ok', address: [] }],
    ['address', { name: 'ok', address: 'not an address' }],
    ['address', { name: 'ok', address: '999.1.1.1' }],
    ['address', { name: 'ok', address: '::1%eth0' }],
    ['address', { name: 'ok', address: 'host:0' }],
    ['address', { name: 'ok', address: 'host:65536' }],
    ['address', { name: 'ok', address: 'http://host' }],
    ['address', { name: 'ok', address: long }],
    ['protocol', { name: 'ok', protocol: 'v0.5' }],
    ['protocol', { name: 'ok', protocol: '' }],
    ['protocol', { name: 'ok', protocol: true }],
  ];

  it.each(bodies)('of %s in POST and PUT is 400: %j', async (field, body) => {
    const id = await stand.backend();
    for (const [method, path] of [
      ['POST', '/backends'],
      ['PUT', `/backends/${id}`],
    ] as const) {
      const reply = await stand.send(method, path, { body });
      expect(reply.status).toBe(400);
      expect(reply.json().field).toBe(field);
    }
  });

  it('that is no JSON object, too large or of another type is 400, 413, 415', async () => {
    for (const body of ['{', '[]', '"x"', 'null', '7']) {
      expect((await stand.send('POST', '/backends', { body })).status).toBe(400);
    }
    const large = { name: 'x', description: 'y'.repeat(70_000) };
    expect((await stand.send('POST', '/backends', { body: large })).status).toBe(413);
    const headers = { 'content-type': 'text/plain' };
    expect((await stand.send('POST', '/backends', { body: '{}', headers })).status).toBe(415);
  });

  it('of unknown members is ignored', async () => {
    const { authorization } = await newcomer();
    const body = { name: 'x', id: unknown, tenant_id: 'other', active: true };
    expect((await stand.send('POST', '/backends', { authorization, body })).status).toBe(201);
  });

  it.each([
    'offset=-1',
    'offset=x',
    'offset=1&offset=2',
    'limit=0',
    'limit=101',
    'limit=1.5',
    'limit=',
    'limit=10&limit=10',
    'active=maybe',
    'order=id',
    'dir=up',
    `name=${'x'.repeat(1025)}`,
    'name=%00',
  ])('of the list query is 400: %s', async (query) => {
    expect((await stand.send('GET', `/backends?${query}`)).status).toBe(400);
  });

  it('of an id is 404, and a bad body on an unknown id 400', async () => {
    for (const id of [
      unknown,
      'x',
      unknown.toUpperCase().replace('0', 'A'),
      '%00',
      'a'.repeat(300),
    ]) {
      expect((await stand.send('GET', `/backends/${id}`)).status).toBe(404);
      expect((await stand.send('DELETE', `/backends/${id}`)).status).toBe(404);
      expect((await stand.send('PUT', `/backends/${id}`, { body: { name: 'x' } })).status).toBe(
        404,
      );
      expect((await stand.send('PUT', `/backends/${id}`, { body: {} })).status).toBe(400);
      expect((await stand.send('GET', `/backends/${id}/terminations`)).status).toBe(404);
    }
  });
});

describe('backends.md 16.5: terminate', () => {
  it('is 204 for a connected backend; five retries are one termination', async () => {
    const { id, stream } = await stand.connected();
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => stand.send('GET', `/backends/terminate/${id}/1`)),
    );
    expect(replies.map((reply) => reply.status)).toEqual([204, 204, 204, 204, 204]);
    expect(replies[0]?.headers['cache-control']).toBe('no-store');
    const spelled = await stand.send('GET', `/backends/%74erminate/${id}/1`);
    expect([spelled.status, spelled.headers['cache-control']]).toEqual([204, 'no-store']);
    await stream.ended;
    await stand.active(id, false);
    expect(stream.messages).toHaveLength(1);
    const list = (await stand.send('GET', `/backends/${id}/terminations`)).json();
    const first = (list.terminations as Record<string, unknown>[]).at(-1);
    expect(first).toMatchObject({ type: 1, requested_by: 'tester', state: 'closed' });
    expect(first).toHaveProperty('closed_at');
    const types = (await stand.events(id)).map((event) => event.type);
    expect(types.filter((type) => type === 'backend.terminated')).toHaveLength(1);
    expect(types.indexOf('backend.terminated')).toBe(types.indexOf('backend.disconnected') - 1);
  });

  it('is 204 for one that is not connected, and touches no later stream', async () => {
    const id = await stand.backend();
    const body = { reason: 'just so' };
    expect((await stand.send('POST', `/backends/terminate/${id}/0`, { body })).status).toBe(204);
    const list = await stand.send('GET', `/backends/${id}/terminations`);
    expect(list.json()).toMatchObject({
      total: 1,
      limit: 10,
      terminations: [{ type: 0, reason: 'just so', state: 'not_connected' }],
    });
    const stream = stand.dial(await certificates.issue(id));
    await stream.opened;
    await stand.active(id, true);
  });

  it('is 404 for an unknown id and 400 for a bad type or reason, the type first', async () => {
    const id = await stand.backend();
    const terminate = (path: string, body?: unknown): Promise<Reply> =>
      stand.send(body === undefined ? 'GET' : 'POST', `/backends/terminate/${path}`, { body });
    expect((await terminate(`${unknown}/1`)).status).toBe(404);
    for (const type of ['2', '-1', '01', '1.0', 'x', '%31%20']) {
      expect((await terminate(`${unknown}/${type}`)).status).toBe(400);
    }
    for (const reason of [1, 'x'.repeat(257), 'a\u0007']) {
      expect((await terminate(`${id}/1`, { reason })).status).toBe(400);
    }
  });

  it('does nothing on HEAD and on a prefetch', async () => {
    const { id } = await stand.connected();
    const path = `/backends/terminate/${id}/1`;
    const head = await stand.send('HEAD', path);
    expect([head.status, head.headers['cache-control']]).toEqual([405, 'no-store']);
    const asks: Record<string, string>[] = [
      { 'sec-purpose': 'prefetch;prerender' },
      { purpose: 'prefetch' },
    ];
    for (const headers of asks) {
      expect((await stand.send('GET', path, { headers })).status).toBe(400);
    }
    expect((await stand.send('GET', `/backends/${id}/terminations`)).json().total).toBe(0);
    expect(await stand.show(id)).toMatchObject({ active: true });
  });
});

describe('whatever is sent', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', '\0', '../..', '%00', '::', '[::]:0', 'x'.repeat(5000)),
  );
  const member = fc.oneof(text, fc.jsonValue(), fc.constant(undefined));
  const body = fc.oneof(
    fc.record({ name: member, description: member, address: member, protocol: member }),
    fc.jsonValue(),
    text,
  );
  const paths = fc.oneof(
    fc.constantFrom('', '/backend', '/backends', '/terminate', '/terminate/x', `/${unknown}`),
    text.map((value) => `/${encodeURIComponent(value.replaceAll(/\p{Cs}/gu, ''))}`),
    fc.tuple(text, text).map(([a, b]) => `/terminate/${escape(a)}/${escape(b)}`),
  );
  const query = fc.dictionary(fc.constantFrom('offset', 'limit', 'name', 'order', 'x'), text);

  it('is answered below 500', async () => {
    const { authorization } = await newcomer();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'),
        paths,
        query,
        body,
        async (method, path, parameters, sent) => {
          const search = new URLSearchParams(parameters).toString();
          const target = `/backends${path}${search ? `?${search}` : ''}`;
          const reads = method === 'GET' || method === 'HEAD';
          const reply = await stand.send(method, target, {
            authorization,
            body: reads ? undefined : sent,
          });
          expect(reply.status).toBeLessThan(500);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('delete', () => {
  it('ends the stream, revokes the certificates and frees name and address', async () => {
    const { id, files, stream } = await stand.connected({
      body: { name: 'gone', address: '10.9.9.9' },
    });
    expect((await stand.send('DELETE', `/backends/${id}`)).status).toBe(204);
    expect(await stream.ended).toMatchObject({ code: 0 });
    expect(certificates.resolved.get(files.serial)!.status).toBe('revoked');
    expect(certificates.revokedEntities.at(-1)).toEqual({
      tenant: 'tenant-a',
      entityType: 'backend',
      entityId: id,
      reason: 5,
    });
    await stand.backend({ name: 'gone', address: '10.9.9.9' });
  });

  it('is the last that is told of a backend, after the end of its stream', async () => {
    const { id, stream } = await stand.connected({ obeys: false });
    expect((await stand.send('DELETE', `/backends/${id}`)).status).toBe(204);
    await stream.ended;
    await waitFor(
      () => stand.get(LiveStreams).ofSlot({ backendId: id, connection: 'main' }).length === 0,
    );
    const told = await stand.events(id);
    expect(told.map((event) => event.type).slice(2)).toEqual([
      'backend.termination.requested',
      'backend.terminated',
      'backend.disconnected',
      'backend.deleted',
    ]);
    expect(told.at(-2)?.data.reason).toBe('terminated');
  });

  it('is 503 while the certificates cannot be revoked, and goes on when repeated', async () => {
    const id = await stand.backend();
    certificates.down = true;
    const failed = await stand.send('DELETE', `/backends/${id}`);
    certificates.down = false;
    expect(failed.status).toBe(503);
    expect((await stand.send('GET', `/backends/${id}`)).status).toBe(404);
    expect((await stand.send('DELETE', `/backends/${id}`)).status).toBe(204);
    expect((await stand.send('DELETE', `/backends/${id}`)).status).toBe(404);
    expect((await stand.events(id)).at(-1)!.type).toBe('backend.deleted');
  });
});

it('a deletion whose process died is finished by another', async () => {
  const { id, files } = await stand.connected();
  // What stands after its first step.
  await stand.store.query(
    `UPDATE backends SET deleting_at = now() - interval '1 minute' WHERE id = $1`,
    [id],
  );
  expect((await stand.send('GET', `/backends/${id}`)).status).toBe(404);
  await stand.get(AbandonedDeletions).run();
  expect(certificates.resolved.get(files.serial)?.status).toBe('revoked');
  expect((await stand.events(id)).at(-1)?.type).toBe('backend.deleted');
  const rows = await stand.store.query('SELECT 1 FROM backends WHERE id = $1', [id]);
  expect(rows).toEqual([]);
});
