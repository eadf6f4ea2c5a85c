import fc from 'fast-check';
import { startForwarding, type Forwarding } from '../../test/forwarding.js';
import { exchangeBytes } from '../../test/wire.js';

let forwarding: Forwarding;
let door: Forwarding['door'];
let backends: Forwarding['backends'];
let certificates: Forwarding['certificates'];
let identity: Forwarding['identity'];
let bearer: Forwarding['bearer'];
let authorized: Forwarding['authorized'];

beforeAll(async () => {
  forwarding = await startForwarding();
  ({ door, backends, certificates, identity, bearer, authorized } = forwarding);
});

beforeEach(() => forwarding.reset());
afterAll(() => forwarding.close());

/** One request written by hand over a connection that ends with its answer. */
const bytes = (start: string, headers = '', body = '') =>
  exchangeBytes(door.url, `${start}\r\n${authorized}Connection: close\r\n${headers}\r\n${body}`);

/** A malformed escape is 400 at the router, as in one process. */
function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

describe('what is passed on', () => {
  test('goes by prefix, under a token unless the service gives it to everybody', async () => {
    const guarded = [
      ['GET', '/backends'],
      ['POST', '/backends/terminate/x/0'],
      ['GET', '/audit/backends/verification'],
      ['GET', '/events/backends/dead-letters'],
    ];
    for (const [method = '', path = ''] of guarded) {
      expect([path, (await door.call(path, { method })).status]).toEqual([path, 401]);
      expect([path, (await door.call(path, { method, bearer })).text]).toEqual([path, 'hello']);
    }
    expect(backends.seen).toEqual(guarded.map((each) => each.join(' ')));
    const others = [
      '/certs',
      '/certs/12',
      '/acme/certs',
      '/audit/certificates',
      '/certs/get-ca/token',
      '/certs/ca/issuers',
    ];
    for (const path of others) {
      expect([path, (await door.call(path)).status]).toEqual([path, 401]);
      expect([path, (await door.call(path, { bearer })).text]).toEqual([path, 'hello']);
    }
    const open = [
      '/certs/ocsp/MEI/wQ==',
      '/certs/crl',
      '/certs/crl/1/2.crl',
      '/certs/ca/0123456789abcdef0123456789abcdef.crt',
      '/certs/view-ca',
      '/certs/download-ca?token=x',
      '/certs/1/download?token=x',
    ];
    for (const path of open) expect([path, (await door.call(path)).text]).toEqual([path, 'hello']);
    expect(certificates.seen).toEqual([...others, ...open].map((path) => `GET ${path}`));
  });

  test('the token is checked at the door: bad, expired and revoked ones reach no service', async () => {
    const { issuer, revoked } = identity;
    const request = { subject: 's', tenant: 't', roles: [], ttlMs: 3_600_000 };
    const gone = await issuer.issue(request);
    revoked.add(gone);
    for (const token of ['nonsense', gone.token]) {
      expect((await door.call('/backends', { bearer: token })).status).toBe(401);
    }
    expect(backends.seen).toEqual([]);
    const { token } = await issuer.issue(request);
    let authorization: string | undefined;
    backends.handle = (raw, response) => {
      authorization = raw.headers.authorization;
      response.end();
    };
    await door.call('/backends', { bearer: token });
    expect(authorization).toBe(`Bearer ${token}`);
  });

  test('paths and queries arrive byte by byte: no slashes merged, nothing decoded', async () => {
    const segment = fc.stringMatching(/^(%2[fF]|%[0-9a-f]{2}|[\w~!$&'()*+,;=:@.-]|\/|\+)*$/, {
      maxLength: 40,
    });
    const query = fc.stringMatching(/^[\w%/?~!$&'()*+,;=:@.[\]{}|^-]*$/, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(segment, fc.option(query), async (path, search) => {
        const target = `/certs/ocsp/${path}${search === null ? '' : `?${search}`}`;
        fc.pre(isDecodable(target.split('?')[0] ?? ''));
        certificates.seen.length = 0;
        expect(await bytes(`GET ${target} HTTP/1.1`)).toMatch(/^HTTP\/1.1 200 /);
        expect(certificates.seen).toEqual([`GET ${target}`]);
      }),
      { numRuns: 60 },
    );
    await bytes('GET http://elsewhere.example/certs/ocsp//a%2Fb?c HTTP/1.1');
    expect(certificates.seen.at(-1)).toBe('GET /certs/ocsp//a%2Fb?c');
  });

  test('headers of one connection and claims about the client stay behind, all others arrive', async () => {
    let got: string[] = [];
    backends.handle = (raw, response) => {
      got = raw.rawHeaders;
      response.end();
    };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await exchangeBytes(
      door.url,
      `GET /backends HTTP/1.1\r\n${authorized}Connection: close, X-Hop, authorization\r\n` +
        'X-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Authorization: x\r\nUpgrade: websocket\r\n' +
        'X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n' +
        `X-Request-Id: mine\r\ntraceparent: ${traceparent}\r\nAccept: a\r\nAccept: b\r\nX-Text: \xe9\r\n\r\n`,
    );
    const names = got.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(names.toSorted()).toEqual(
      [
        'host',
        'connection',
        'authorization',
        'accept',
        'accept',
        'x-text',
        'x-forwarded-for',
        'x-request-id',
        'traceparent',
      ].toSorted(),
    );
    const value = (name: string) => got[got.findIndex((each) => each.toLowerCase() === name) + 1];
    expect(value('x-forwarded-for')).toBe('127.0.0.1');
    expect(value('x-request-id')).toBe('mine');
    expect(value('traceparent')?.slice(0, 35)).toBe(traceparent.slice(0, 35));
    expect(value('connection')).toBe('keep-alive');
    expect(value('x-text')).toBe('\xe9');
  });

  test('any header that may be passed on arrives as it was', async () => {
    let got: string[] = [];
    backends.handle = (raw, response) => {
      got = raw.rawHeaders;
      response.end();
    };
    const name = fc.stringMatching(/^[xX]-[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,20}$/);
    const value = fc.stringMatching(
      /^[\x21-\x7e\x80-\xff]([\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 10 }), async (headers) => {
        const own = /^x-(forwarded|request-id|real-ip)/i;
        fc.pre(headers.every(([each]) => !own.test(each)));
        const lines = headers.map((each) => `${each.join(': ')}\r\n`).join('');
        expect(await bytes('GET /backends HTTP/1.1', lines)).toMatch(/^HTTP\/1.1 200 /);
        const pairs = got.flatMap((each, i) => (i % 2 === 0 ? [[each, got[i + 1] ?? '']] : []));
        const passed = pairs.filter(([each = '']) => /^x-/i.test(each) && !own.test(each));
        expect(passed).toEqual(headers);
      }),
      { numRuns: 40 },
    );
  });

  test('answers keep status, headers and bytes; those of one connection stay behind', async () => {
    backends.handle = (_request, response) => {
      response.setHeader('x-hop', '1');
      response.setHeader('connection', 'x-hop');
      response.setHeader('x-request-id', 'of the service');
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.setHeader('content-type', 'application/problem+json');
      response.writeHead(409, 'Conflict').end('{"a":1}\n');
    };
    const text = await bytes('GET /backends HTTP/1.1', 'X-Request-Id: mine\r\n');
    expect(text).toMatch(/^HTTP\/1.1 409 Conflict\r\n/);
    expect(text).toContain('set-cookie: a=1\r\nset-cookie: b=2\r\n');
    expect(text).toContain('x-request-id: mine\r\n');
    expect(text).not.toMatch(/x-hop|of the service/i);
    expect(text).toMatch(/\r\n\r\n8\r\n\{"a":1}\n\r\n0\r\n\r\n$/);
  });

  test('204, 304 and answers to HEAD have no body and keep their headers', async () => {
    backends.handle = (_request, response) => response.writeHead(204, { etag: '"1"' }).end();
    expect(await bytes('DELETE /backends/1 HTTP/1.1')).toMatch(
      /^HTTP\/1.1 204 [^]*etag: "1"[^]*\r\n\r\n$/,
    );
    backends.handle = (_request, response) => response.writeHead(304, { etag: '"1"' }).end();
    expect(await bytes('GET /backends/1 HTTP/1.1')).toMatch(
      /^HTTP\/1.1 304 [^]*etag: "1"[^]*\r\n\r\n$/,
    );
    backends.handle = (_request, response) =>
      response.writeHead(200, { 'content-length': '1234' }).end();
    expect(await bytes('HEAD /backends/1 HTTP/1.1')).toMatch(
      /^HTTP\/1.1 200 [^]*content-length: 1234[^]*\r\n\r\n$/,
    );
  });

  test('103 is passed on, 100 is answered by the door', async () => {
    backends.handle = (raw, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      raw.resume().once('end', () => response.end('done'));
    };
    const text = await bytes(
      'POST /backends HTTP/1.1',
      'Expect: 100-continue\r\nContent-Length: 2\r\n',
      '{}',
    );
    expect(text).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 103 Early Hints\r\nlink: <\/a>; rel=preload\r\n\r\nHTTP\/1.1 200 /i,
    );
  });

  test('an upgrade is a request like any other', async () => {
    const text = await bytes(
      'GET /backends HTTP/1.1',
      'Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n',
    );
    expect(text).toMatch(/^HTTP\/1.1 200 /);
    expect(text).toMatch(/hello/);
  });

  test('a request that two readers could understand differently reaches no service', async () => {
    const chunked = 'Transfer-Encoding: chunked\r\n';
    const shapes = [
      `${chunked}Content-Length: 5\r\n\r\n0\r\n\r\n`,
      'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
      'Content-Length: 5, 6\r\n\r\nhello!',
      'Content-Length: +5\r\n\r\nhello',
      'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
      `${chunked}\r\n5 \r\nhello\r\n0\r\n\r\n`,
      `${chunked}\r\n-1\r\nhello\r\n0\r\n\r\n`,
      'X: a\r\n Content-Length: 5\r\n\r\nhello',
      'X: a\0b\r\n\r\n',
      'X: a\nContent-Length: 5\r\n\r\nhello',
    ];
    for (const shape of shapes) {
      const text = await exchangeBytes(
        door.url,
        `POST /backends HTTP/1.1\r\n${authorized}Content-Type: application/json\r\n${shape}`,
      );
      const smuggled = backends.seen.filter((line) => line !== 'POST /backends');
      expect([shape, text.slice(0, 12), smuggled]).toEqual([shape, 'HTTP/1.1 400', []]);
    }
  });
});
