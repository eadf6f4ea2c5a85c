import { jest } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, Health, Metrics } from '@glacis/observability';
import fc from 'fast-check';
import { connect } from 'node:net';
import { openApiDocument, problemCatalogue } from '../src/index.js';
import { portOf, send, startApp } from './app.js';
import { WidgetModule } from './widgets.js';

jest.setTimeout(60_000);

const lines: string[] = [];
const health = new Health();
const metrics = new Metrics();
let app: NestFastifyApplication;

beforeAll(async () => {
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    destination: { write: (line) => void lines.push(line) },
  });
  app = await startApp(WidgetModule, { logger, health, metrics });
});
afterAll(() => app.close());

const json = { 'content-type': 'application/json' };

describe('replies to the byte (backends.md 2.1)', () => {
  test('an object is compact JSON and one line feed, typed without charset, counted', async () => {
    const reply = await send(app, 'GET', '/widgets/7', { token: 'member' });
    expect(reply.status).toBe(200);
    expect(reply.text).toBe('{"id":"7","tenant":"acme","subject":"maria"}\n');
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.headers['content-length']).toBe(String(reply.text.length));
    expect(reply.headers['transfer-encoding']).toBeUndefined();
  });

  test('an empty 201 has the type, a length of 0 and its Location', async () => {
    const reply = await send(app, 'POST', '/widgets', { token: 'member', body: '{"name":"a"}' });
    expect(reply.status).toBe(201);
    expect(reply.headers).toMatchObject({ ...json, 'content-length': '0', location: '/widgets/7' });
    expect(reply.text).toBe('');
  });

  test('an empty 200 has the type and a length of 0', async () => {
    const reply = await send(app, 'GET', '/widgets/7/stop', { token: 'member' });
    expect(reply.status).toBe(200);
    expect(reply.headers).toMatchObject({ ...json, 'content-length': '0' });
  });

  test('a 204 has the type and no length', async () => {
    const reply = await send(app, 'DELETE', '/widgets/7', { token: 'admin' });
    expect(reply.status).toBe(204);
    expect(reply.headers).toMatchObject(json);
    expect(reply.headers['content-length']).toBeUndefined();
  });

  test('HEAD answers as GET without the body', async () => {
    const reply = await send(app, 'HEAD', '/widgets/7', { token: 'member' });
    expect(reply.status).toBe(200);
    expect(reply.headers).toMatchObject({ ...json, 'content-length': '45', etag: '"3"' });
    expect(reply.text).toBe('');
  });

  test('bytes go out as they are under their own type', async () => {
    const reply = await send(app, 'POST', '/raw', {
      body: 'abc',
      headers: { 'content-type': 'application/ocsp-request' },
    });
    expect(reply.status).toBe(200);
    expect(reply.text).toBe('abc');
    expect(reply.headers).toMatchObject({
      'content-type': 'application/ocsp-response',
      'content-length': '3',
    });
  });
});

describe('paths', () => {
  test('a static segment goes before a parameter', async () => {
    expect((await send(app, 'GET', '/widgets/static', { token: 'member' })).json()).toEqual({
      fixed: true,
    });
  });

  test('another case, a trailing slash and a doubled slash are other paths: 404', async () => {
    for (const path of ['/Widgets', '/widgets/', '/widgets/7/', '//widgets', '/widgets//stop']) {
      const reply = await send(app, 'GET', path, { token: 'member' });
      expect([path, reply.status]).toEqual([path, 404]);
    }
  });

  test('a parameter of 5,000 characters reaches its route', async () => {
    const id = 'x'.repeat(5000);
    const reply = await send(app, 'GET', `/widgets/${id}`, { token: 'member' });
    expect(reply.json()).toMatchObject({ id });
  });

  test('a rest of a path keeps its slashes, decoded', async () => {
    const reply = await send(app, 'GET', `/open/a//b%2Fc%2B${'y'.repeat(300)}`);
    expect(reply.json()['rest']).toBe(`a//b/c+${'y'.repeat(300)}`);
  });

  test('malformed percent-encoding is 400 with a request id', async () => {
    for (const path of ['/widgets/%zz', '/open/%', '/widgets/%ff']) {
      const reply = await send(app, 'GET', path, { token: 'member' });
      expect([path, reply.status]).toEqual([path, 400]);
      expect(reply.json()).toMatchObject({ code: 'malformed', instance: path });
      expect(reply.json()['request_id']).toBe(reply.headers['x-request-id']);
    }
  });

  test('an unknown path is 404 whatever its body', async () => {
    const reply = await send(app, 'POST', '/nothing', { token: 'member', body: '{' });
    expect(reply.status).toBe(404);
    expect(reply.json()).toMatchObject({ code: 'not-found', instance: '/nothing' });
  });

  test('a known path with another verb is 405 and names the verbs in Allow', async () => {
    const reply = await send(app, 'PATCH', '/widgets/7?x=1', { token: 'member', body: '{}' });
    expect(reply.status).toBe(405);
    expect(reply.headers.allow).toBe('GET, HEAD, PUT, DELETE');
  });

  test('HEAD never falls through to a GET with an effect', async () => {
    const reply = await send(app, 'HEAD', '/widgets/7/stop', { token: 'member' });
    expect(reply.status).toBe(405);
    expect(reply.headers.allow).toBe('GET, POST');
  });
});

describe('errors (backends.md 2.5)', () => {
  test('the printed members come first and in order, ours after them', async () => {
    const reply = await send(app, 'POST', '/widgets', {
      token: 'member',
      body: '{"name":"taken"}',
      headers: { 'x-request-id': 'r-1' },
    });
    expect(reply.status).toBe(409);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(reply.text).toBe(
      '{"type":"https://glacis.dev/problems/widget-exists","title":"Conflict","status":409,' +
        '"detail":"a widget named \'taken\' exists","instance":"/widgets","error":"name already taken",' +
        '"message":"entity already exists","code":"widget-exists","request_id":"r-1"}\n',
    );
  });

  test('a 500 tells nothing but its request id, and the log has the cause', async () => {
    lines.length = 0;
    const reply = await send(app, 'GET', '/widgets/broken', { token: 'member' });
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('secret');
    const logged = lines.map((line) => JSON.parse(line)).find(({ level }) => level === 'error');
    expect(logged).toMatchObject({
      msg: 'request failed',
      request_id: reply.headers['x-request-id'],
      err: { message: 'secret of the database' },
    });
  });

  test('a character that the database cannot hold is 400', async () => {
    const reply = await send(app, 'GET', '/widgets/nul', { token: 'member' });
    expect([reply.status, reply.json()['code']]).toEqual([400, 'malformed']);
  });

  test.each([
    ['goes away', '57P01'],
    ['does not answer', '08006'],
    ['takes too long', '57014'],
    ['is locked for too long', '55P03'],
  ])('a database that %s is 503', async (_, code) => {
    const reply = await send(app, 'GET', `/widgets/sqlstate-${code}`, { token: 'member' });
    expect([reply.status, reply.json()['code']]).toEqual([503, 'unavailable']);
  });

  test('the catalogue lists each kind of error with what to do about it', () => {
    const catalogue = problemCatalogue();
    expect(catalogue.map(({ slug }) => slug)).toEqual(
      expect.arrayContaining(['malformed', 'widget-exists', 'rate-limited']),
    );
    expect(catalogue.every(({ about, message }) => about.length > 20 && message)).toBe(true);
  });
});

describe('order of checks', () => {
  const big = `{"name":"${'x'.repeat(70_000)}"}`;

  test('401 before everything about the body', async () => {
    const refused = await send(app, 'GET', '/widgets/7');
    expect(refused.headers['www-authenticate']).toBe('Bearer');
    for (const body of ['{', big, '{"name":1}']) {
      expect((await send(app, 'POST', '/widgets', { body })).status).toBe(401);
      expect((await send(app, 'POST', '/widgets', { body, token: 'forged' })).status).toBe(401);
    }
  });

  test('403 before everything about the body: no tenant, no role', async () => {
    for (const [token, method, path] of [
      ['homeless', 'POST', '/widgets'],
      ['platform', 'POST', '/widgets'],
      ['member', 'DELETE', '/widgets/7'],
      ['admin', 'POST', '/widgets/7/stop'],
    ] as const) {
      expect((await send(app, method, path, { token, body: '{' })).status).toBe(403);
    }
    const allowed = await send(app, 'POST', '/widgets/7/stop', { token: 'platform' });
    expect(allowed.status).toBe(201);
  });

  test('another media type 415, too long 413, not JSON 400', async () => {
    const post = async (body: string | Buffer, headers = {}): Promise<number> =>
      (await send(app, 'POST', '/widgets', { token: 'member', body, headers })).status;
    expect(await post('name=a', { 'content-type': 'application/x-www-form-urlencoded' })).toBe(415);
    expect(await post('{"name":"a"}', { 'content-type': 'text/plain' })).toBe(415);
    expect(await post('{"name":"a"}', { 'content-type': '' })).toBe(415);
    expect(await post('abc', { 'content-type': 'application/ocsp-request' })).toBe(415);
    expect(await post(big)).toBe(413);
    expect(await post('{"name":')).toBe(400);
    expect(await post(Buffer.from([0x22, 0xff, 0x22]))).toBe(400);
    expect(await post('[]')).toBe(400);
    expect(await post('"text"')).toBe(400);
    expect(await post('{"name":"a"}', { 'content-type': 'application/json; charset=utf-8' })).toBe(
      201,
    );
  });

  test('a bad body on an unknown id is 400, a good one 404, a stale tag 412', async () => {
    const put = (id: string, body: string, headers = {}): Promise<number> =>
      send(app, 'PUT', `/widgets/${id}`, { token: 'member', body, headers }).then((r) => r.status);
    expect(await put('unknown', '{"name":1}')).toBe(400);
    expect(await put('unknown', '{"name":"a"}')).toBe(404);
    expect(await put('7', '{"name":"a"}', { 'if-match': '"2"' })).toBe(412);
    expect(await put('7', '{"name":"a"}', { 'if-match': '"2", "3"' })).toBe(200);
    expect(await put('7', '{"name":"a"}', { 'if-match': '*' })).toBe(200);
    expect(await put('7', '{"name":"a"}', { 'if-match': 'W/"3"' })).toBe(412);
    expect(await put('7', '{"name":"a"}', { 'if-match': '3' })).toBe(400);
  });

  test('a route may take a longer body than the default', async () => {
    const headers = { 'content-type': 'application/ocsp-request' };
    expect((await send(app, 'POST', '/raw', { body: Buffer.alloc(90_000), headers })).status).toBe(
      200,
    );
    expect((await send(app, 'POST', '/raw', { body: Buffer.alloc(100_001), headers })).status).toBe(
      413,
    );
  });
});

describe('validation', () => {
  const post = (body: unknown): ReturnType<typeof send> =>
    send(app, 'POST', '/widgets', { token: 'member', body: JSON.stringify(body) });

  test('the problem names the member at fault; unknown members are ignored', async () => {
    expect((await post({ name: 1 })).json()).toMatchObject({ status: 400, field: 'name' });
    expect((await post({})).json()).toMatchObject({ field: 'name' });
    expect((await post({ name: 'a', note: null })).json()).toMatchObject({ field: 'note' });
    expect((await post({ name: 'a', more: { deep: [1] } })).status).toBe(201);
    expect((await post({ name: 'a', ['__proto__']: { x: 1 } })).status).toBe(201);
  });

  test('an empty body counts as {}', async () => {
    const reply = await send(app, 'POST', '/widgets', { token: 'member', headers: json });
    expect(reply.json()).toMatchObject({ status: 400, field: 'name' });
  });

  test('a body nested too deeply is 400, brackets within text are none', async () => {
    const deep = (depth: number): string =>
      `{"name":"a","more":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const status = async (body: string): Promise<number> =>
      (await send(app, 'POST', '/widgets', { token: 'member', body })).status;
    expect(await status(deep(63))).toBe(201);
    expect(await status(deep(64))).toBe(400);
    expect(await status(deep(30_000))).toBe(400);
    expect(await status(`{"name":"a","more":"${'[{\\"'.repeat(500)}"}`)).toBe(201);
  });

  test('text: trimmed, counted in characters, no controls, nothing that a database refuses', async () => {
    expect((await post({ name: '  \t ' })).status).toBe(400);
    expect((await post({ name: ' 12345678 ' })).status).toBe(201);
    expect((await post({ name: '123456789' })).status).toBe(400);
    expect((await post({ name: '😀'.repeat(8) })).status).toBe(201);
    for (const name of ['a\u0000b', 'a\nb', 'a\u0085b', 'a\ud800b', 'a\u007fb']) {
      expect((await post({ name })).status).toBe(400);
    }
    expect((await post({ name: 'a', note: 'two\nlines' })).status).toBe(201);
    expect((await post({ name: 'a', note: 'a\u0000' })).status).toBe(400);
    expect((await post({ name: 'a', note: '\udc00' })).status).toBe(400);
  });

  test('paging: defaults, bounds, and 400 for repeated, negative or other text', async () => {
    const list = (query: string): ReturnType<typeof send> =>
      send(app, 'GET', `/widgets${query}`, { token: 'member' });
    expect((await list('')).json()).toEqual({ total: 0, offset: 0, limit: 10 });
    expect((await list('?offset=7&limit=100&x=1&x=2')).json()).toMatchObject({
      offset: 7,
      limit: 100,
    });
    for (const query of [
      '?limit=0',
      '?limit=101',
      '?limit=-1',
      '?limit=',
      '?limit=ten',
      '?limit=1e1',
      '?limit=1&limit=1',
      '?offset=-1',
      '?offset=1&offset=2',
      '?offset=99999999999999999999',
      '?offset=%zz',
    ]) {
      const reply = await list(query);
      expect([query, reply.status]).toEqual([query, 400]);
      expect(reply.json()['field']).toMatch(/^(limit|offset)$/);
    }
  });

  test('no input makes a 5xx or breaks the connection', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.json({ maxDepth: 3 }),
        fc.string({ unit: 'binary' }),
        async (body, id) => {
          const path = `/widgets/${encodeURIComponent(Buffer.from(id).toString())}`;
          const posted = await send(app, 'POST', '/widgets', { token: 'member', body });
          const got = await send(app, 'GET', path, { token: 'member' });
          expect([201, 400, 409]).toContain(posted.status);
          expect([200, 404]).toContain(got.status);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('identity of a request', () => {
  test('a short printable request id is kept, any other replaced', async () => {
    const idFor = async (id: string): Promise<string> =>
      (await send(app, 'GET', '/open/x', { headers: { 'x-request-id': id } })).headers[
        'x-request-id'
      ] as string;
    expect(await idFor('job-42/a')).toBe('job-42/a');
    for (const id of ['x'.repeat(65), 'two words', 'caf\u00e9']) {
      expect(await idFor(id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    }
  });

  test('a good traceparent travels on, a bad one starts a new trace', async () => {
    const traceFor = async (traceparent: string): Promise<unknown> =>
      (await send(app, 'GET', '/open/x', { headers: { traceparent } })).json()['traceparent'];
    const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(await traceFor(good)).toBe(good);
    expect(await traceFor('00-zz')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  test('no header but Authorization gives an identity', async () => {
    const reply = await send(app, 'GET', '/widgets/7', {
      headers: {
        'x-user': 'ada',
        'x-forwarded-user': 'ada',
        'x-tenant': 'acme',
        cookie: 'token=admin',
      },
    });
    expect(reply.status).toBe(401);
    const open = await send(app, 'GET', '/open/x', { token: 'admin' });
    expect(open.json()['principal']).toBeNull();
  });
});

describe('operation', () => {
  test('health tells what runs; other verbs are 405', async () => {
    const reply = await send(app, 'GET', '/health');
    expect(reply.headers['content-type']).toBe('application/health+json');
    expect(reply.text).toBe(
      '{"status":"pass","version":"1.2.3","commit":"abc","description":"test service",' +
        '"build_time":"2026-01-01T00:00:00Z","instance_id":"one"}\n',
    );
    expect((await send(app, 'HEAD', '/health')).status).toBe(200);
    expect((await send(app, 'POST', '/health')).status).toBe(405);
  });

  test('readiness is 503 while a dependency is down, and says why', async () => {
    expect((await send(app, 'GET', '/health/ready')).status).toBe(200);
    health.add('database', () => Promise.reject(new Error('connection refused')));
    const reply = await send(app, 'GET', '/health/ready');
    expect(reply.status).toBe(503);
    expect(reply.json()['error']).toEqual({
      database: { status: 'down', reason: 'connection refused' },
    });
    health.remove('database');
    expect((await send(app, 'GET', '/health/live')).json()).toMatchObject({ status: 'ok' });
  });

  test('requests are counted by status, verb and route pattern, never by path', async () => {
    await send(app, 'GET', '/widgets/12345', { token: 'member' });
    await send(app, 'GET', '/unheard-of');
    const { text, headers } = await send(app, 'GET', '/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(/requests_total\{code="200",method="GET",handler="\/widgets\/:id"\} \d+/);
    expect(text).toMatch(/requests_total\{code="404",method="any",handler="unmatched"\} \d+/);
    expect(text).toMatch(/request_duration_seconds_count\{code="200",method="GET"/);
    expect(text).toContain('request_size_bytes_sum');
    expect(text).toContain('response_size_bytes_sum');
    expect(text).not.toContain('12345');
  });

  test('the access log is a debug line with the path and nothing of the query', async () => {
    lines.length = 0;
    await send(app, 'GET', '/open/x?token=abc&downloadToken=def&limit=3', { token: 'member' });
    const logged = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'request');
    expect(logged).toMatchObject({
      level: 'debug',
      path: '/open/x',
      status: 200,
    });
    expect(lines.join('')).not.toMatch(/Bearer|abc|def/);
  });

  test('bytes that are no HTTP, and headers without end, get a problem', async () => {
    const answer = (bytes: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(portOf(app), '127.0.0.1', () => socket.write(bytes));
        let text = '';
        socket.on('data', (chunk) => (text += chunk));
        socket.on('error', reject);
        socket.on('close', () => resolve(text));
      });
    expect(await answer('\x16\x03\x01 hello\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [^]*"code":"malformed"/,
    );
    const flood = `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`;
    expect(await answer(flood)).toMatch(/^HTTP\/1\.1 431 [^]*"code":"headers-too-large"/);
  });

  test('a route that declares no operation stops the start', async () => {
    @Controller()
    class Forgetful {
      @Get('forgotten')
      get(): void {}
    }
    @Module({ controllers: [Forgetful] })
    class ForgetfulModule {}
    await expect(startApp(ForgetfulModule)).rejects.toThrow(
      'GET /forgotten declares no @Operation',
    );
  });

  test('the OpenAPI document has each route with its access, schemas and problems', async () => {
    const document = await openApiDocument(app, { title: 'T', description: 'D', version: '1' });
    expect(document.openapi).toBe('3.1.0');
    const again = await openApiDocument(app, { title: 'T', description: 'D', version: '1' });
    expect(again).toEqual(document);
    expect(document.paths['/widgets']?.post).toMatchObject({
      summary: 'Make a widget',
      security: [{ bearer: [] }],
      requestBody: {
        content: {
          'application/json': {
            schema: {
              properties: { name: { type: 'string', maxLength: 8 } },
              required: ['name'],
            },
          },
        },
      },
      responses: { 201: {}, 401: {}, 409: { description: 'widget-exists' } },
    });
    expect(document.paths['/widgets']?.get?.parameters).toContainEqual({
      name: 'limit',
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
    });
    expect(document.paths['/widgets/{id}']?.delete?.parameters).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
    ]);
    expect(document.paths['/raw']?.post).not.toHaveProperty('security');
  });
});
