import type { Server } from 'node:http';
import { promisify } from 'node:util';
import { waitFor } from '@glacis/runtime';
import { startForwarding, type Forwarding } from '../../test/forwarding.js';
import { deadUrl, rawService } from '../../test/wire.js';
import { OpenApi } from '../openapi/open-api.js';

let forwarding: Forwarding;
let door: Forwarding['door'];
let backends: Forwarding['backends'];
let bearer: Forwarding['bearer'];

beforeAll(async () => {
  forwarding = await startForwarding();
  ({ door, backends, bearer } = forwarding);
});

beforeEach(() => forwarding.reset());
afterAll(() => forwarding.close());

describe('a service that fails', () => {
  test('answers nothing: 503 when nobody took the request, by the name of the service', async () => {
    await forwarding.withDoor(
      { backends: [await deadUrl()], certificates: ['http://nowhere.invalid'] },
      async (other) => {
        const refused = await other.call('/backends', { bearer, method: 'POST', body: {} });
        expect(refused.status).toBe(503);
        expect(refused.headers.get('retry-after')).toBe('1');
        expect(refused.json).toMatchObject({
          code: 'service-unavailable',
          service: 'backends',
          instance: '/backends',
        });
        expect((await other.call('/certs/crl')).json).toMatchObject({
          code: 'service-unavailable',
          service: 'certificates',
        });
        const { status, json } = await other.call('/health/ready');
        expect(status).toBe(200);
        expect(json.error).toEqual({
          backends: { status: 'down', reason: expect.stringContaining('ECONNREFUSED') },
          certificates: { status: 'down', reason: 'no address is known' },
        });
        const { services } = (await other.call('/services', { bearer })).json;
        expect(services.map(({ name, ready }) => [name, ready])).toEqual([
          ['backends', false],
          ['certificates', false],
          ['gateway', true],
        ]);
      },
    );
  });

  test('breaks off: 502 before the answer, a cut connection in the middle of it', async () => {
    const answers = [
      '',
      'nonsense\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Le',
      `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nx',
    ];
    for (const answer of answers) {
      const service = await rawService((socket) => socket.end(answer));
      await forwarding.withDoor({ backends: [service.url] }, async (other) => {
        const reply = await other.call('/backends', { bearer, method: 'POST', body: {} });
        expect([answer.slice(0, 60), reply.status]).toEqual([answer.slice(0, 60), 502]);
        expect(reply.json).toMatchObject({ code: 'service-failed', service: 'backends' });
      });
      await service.close();
    }
    const halves = [
      'Content-Length: 10\r\n\r\nhalf',
      'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    ];
    for (const half of halves) {
      const service = await rawService((socket) => socket.end(`HTTP/1.1 200 OK\r\n${half}`));
      await forwarding.withDoor({ backends: [service.url] }, async (other) => {
        await expect(other.call('/backends', { bearer })).rejects.toThrow('terminated');
      });
      await service.close();
    }
  });

  test('is slow: 504 before the answer, a cut connection in the middle of it', async () => {
    const env = {
      GLACIS_GATEWAY_REPLY_TIMEOUT: '200ms',
      GLACIS_GATEWAY_REPLY_IDLE_TIMEOUT: '200ms',
    };
    await forwarding.withDoor({ backends: [backends.url], env }, async (other) => {
      backends.handle = () => undefined;
      const reply = await other.call('/backends', { bearer });
      expect([reply.status, reply.json.code, reply.json['service']]).toEqual([
        504,
        'service-timeout',
        'backends',
      ]);
      backends.handle = (_request, response) => void response.writeHead(200).write('half');
      await expect(other.call('/backends', { bearer })).rejects.toThrow('terminated');
    });
  });

  test('has all connections and places taken: 503, at once or after the wait', async () => {
    const env = {
      GLACIS_GATEWAY_UPSTREAM_CONNECTIONS: '1',
      GLACIS_GATEWAY_UPSTREAM_QUEUE: '1',
      GLACIS_GATEWAY_CONNECT_TIMEOUT: '300ms',
    };
    await forwarding.withDoor({ backends: [backends.url], env }, async (other) => {
      let finish: () => void = () => undefined;
      backends.handle = (_request, response) => (finish = () => void response.end('late'));
      const first = other.call('/backends', { bearer });
      await waitFor(() => backends.seen.length === 1);
      const [second, third] = [
        other.call('/backends', { bearer }),
        other.call('/backends', { bearer }),
      ];
      expect((await Promise.race([second, third])).status).toBe(503);
      expect((await Promise.all([second, third])).map(({ status }) => status)).toEqual([503, 503]);
      finish();
      expect((await first).text).toBe('late');
      backends.handle = (_request, response) => void response.end('again');
      expect((await other.call('/backends', { bearer })).text).toBe('again');
      expect(backends.seen.length).toBe(2);
    });
  });

  test('has all connections taken for long: 503 after three waits, however long the queue', async () => {
    const env = {
      GLACIS_GATEWAY_UPSTREAM_CONNECTIONS: '1',
      GLACIS_GATEWAY_UPSTREAM_QUEUE: '10000',
      GLACIS_GATEWAY_CONNECT_TIMEOUT: '50ms',
    };
    await forwarding.withDoor({ backends: [backends.url], env }, async (other) => {
      let finish: () => void = () => undefined;
      backends.handle = (_request, response) => (finish = () => void response.end('late'));
      const first = other.call('/backends', { bearer });
      await waitFor(() => backends.seen.length === 1);
      const second = await other.call('/backends', { bearer });
      expect([second.status, second.json.code]).toEqual([503, 'service-unavailable']);
      finish();
      expect((await first).text).toBe('late');
    });
  });

  test('bug: a request that had given up waiting kept its place, and its body, in the queue', async () => {
    const env = {
      GLACIS_GATEWAY_UPSTREAM_CONNECTIONS: '1',
      GLACIS_GATEWAY_UPSTREAM_QUEUE: '100',
      GLACIS_GATEWAY_CONNECT_TIMEOUT: '50ms',
    };
    await forwarding.withDoor({ backends: [backends.url], env }, async (other) => {
      let finish: () => void = () => undefined;
      backends.handle = (_request, response) => (finish = () => void response.end('late'));
      const first = other.call('/backends', { bearer });
      await waitFor(() => backends.seen.length === 1);
      const given = [1, 2, 3].map((i) =>
        other.call(`/backends?${i}`, { bearer, method: 'POST', body: {} }),
      );
      expect((await Promise.all(given)).map(({ status }) => status)).toEqual([503, 503, 503]);
      const { text } = await other.call('/metrics');
      expect(text).toMatch(/glacis_gateway_upstream_requests\{[^}]*\} 1\n/);
      finish();
      expect((await first).text).toBe('late');
      backends.handle = (_request, response) => void response.end('next');
      expect((await other.call('/backends?next', { bearer })).text).toBe('next');
      expect(backends.seen).toEqual(['GET /backends', 'GET /backends?next']);
    });
  });

  test('a request whose client went away while its token was checked is not passed on', async () => {
    const { issuer } = forwarding.identity;
    const trusted = issuer.trusted();
    let asked = false;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    issuer.trusted = () => ({
      ...trusted,
      keys: async (header, token) => {
        asked = true;
        await gate;
        return trusted.keys(header, token);
      },
    });
    await forwarding.withDoor({ backends: [backends.url] }, async (other) => {
      const controller = new AbortController();
      const headers = { authorization: `Bearer ${bearer}` };
      const call = fetch(`${other.url}/backends`, { headers, signal: controller.signal });
      await waitFor(() => asked);
      controller.abort();
      await expect(call).rejects.toThrow('aborted');
      const server = other.app.getHttpServer() as Server;
      const count = promisify(server.getConnections.bind(server));
      await waitFor(async () => (await count()) === 0);
      open();
      expect((await other.call('/backends?second', { bearer })).status).toBe(200);
      expect(backends.seen).toEqual(['GET /backends?second']);
    });
    issuer.trusted = () => trusted;
  });

  test('a client that goes away takes its request back', async () => {
    let gone = 0;
    backends.handle = (_request, response) => void response.on('close', () => (gone += 1));
    const controller = new AbortController();
    const headers = { authorization: `Bearer ${bearer}` };
    const call = fetch(`${door.url}/backends`, { headers, signal: controller.signal });
    await waitFor(() => backends.seen.length === 1);
    controller.abort();
    await expect(call).rejects.toThrow('aborted');
    await waitFor(() => gone === 1);
    backends.handle = (_request, response) => {
      response.on('close', () => (gone += 1));
      response.writeHead(200).write('half');
    };
    const second = await fetch(`${door.url}/backends`, { headers });
    await second.body?.cancel();
    await waitFor(() => gone === 2);
  });

  test('the door answers what is under way before it stops', async () => {
    let finish: () => void = () => undefined;
    backends.handle = (_request, response) => (finish = () => void response.end('late'));
    let late: Promise<{ text: string }> | undefined;
    let closed: Promise<void> | undefined;
    await forwarding.withDoor({ backends: [backends.url] }, async (other) => {
      late = other.call('/backends', { bearer });
      await waitFor(() => backends.seen.length === 1);
      closed = other.close();
      await waitFor(() =>
        other.call('/health/live').then(
          () => false,
          () => true,
        ),
      );
      finish();
      expect((await late).text).toBe('late');
      await closed;
    });
  });

  test('its problems and documents are told by the door', async () => {
    const document = {
      openapi: '3.1.0',
      paths: {
        '/backends/{id}': { get: {} },
        '/tokens': { get: { summary: 'of another' } },
        '/health': {},
      },
      components: { schemas: { Backend: { type: 'object' } } },
      'x-problems': [
        { slug: 'backend-exists', status: 409, title: 'Conflict', message: 'm', about: 'Exists.' },
      ],
    };
    backends.handle = (raw, response) => {
      if (raw.url === '/openapi.json') response.end(JSON.stringify(document));
      else response.writeHead(404).end();
    };
    await forwarding.withDoor(
      { backends: [backends.url], certificates: [await deadUrl()] },
      async (other) => {
        other.app.get(OpenApi, { strict: false }).attach(other.app);
        const merged = JSON.parse((await other.call('/openapi.json')).text);
        expect(merged).toMatchObject({ openapi: '3.1.0', info: { title: 'Glacis' } });
        expect(Object.keys(merged.paths)).toEqual(
          expect.arrayContaining(['/backends/{id}', '/tokens']),
        );
        expect(merged.paths['/health']).toBeUndefined();
        expect(merged.paths['/tokens'].post.summary).toMatch(/^Make a token/);
        expect(merged.components.schemas).toMatchObject({ Backend: {}, Problem: {} });
        expect(merged['x-away']).toEqual(['certificates']);
        expect((await other.call('/problems/backend-exists')).text).toContain('Exists.');
      },
    );
  });
});
