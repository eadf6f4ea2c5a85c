import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Metrics } from '@glacis/observability';
import { ManualClock } from '@glacis/runtime';
import { GatewayCredentials, type Credentials } from './credentials.js';
import { Door } from './door.js';
import { isRefusal, isUnavailable } from './suite-error.js';
import { Suite } from './suite.js';

type Handler = (path: string, response: ServerResponse, token: string) => void;
let server: Server;
let handler: Handler;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    handler(request.url ?? '', response, request.headers.authorization ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Tokens that are numbered, as each is another one. */
function numbered(): Credentials {
  let number = 1;
  return { token: async (tenant) => `${tenant}-${number}`, forget: () => void number++ };
}
const door = (credentials = numbered(), at = url): Door =>
  new Door({ url: at, credentials, metrics: new Metrics(), timeoutMs: 300 });
const caught = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
const answering =
  (status: number, body: object, headers = {}): Handler =>
  (_, response) =>
    response.writeHead(status, headers).end(JSON.stringify(body));

describe('the door', () => {
  it('asks for another token, once, when one is not taken', async () => {
    const seen: string[] = [];
    handler = (_, response, token) => {
      seen.push(token);
      response.writeHead(token.endsWith('-2') ? 200 : 401).end('{}');
    };
    await door().call('a', { method: 'GET', path: '/x' });
    expect(seen).toEqual(['Bearer a-1', 'Bearer a-2']);
    handler = answering(401, {});
    expect(isUnavailable(await caught(door().call('a', { method: 'GET', path: '/x' })))).toBe(true);
  });

  it('does not read an answer that has no end', async () => {
    let closed = Promise.resolve<unknown>(undefined);
    handler = (_, response) => {
      closed = once(response, 'close');
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' ')));
      };
      response.writeHead(200).on('drain', more);
      more();
    };
    const patient = new Door({ url, credentials: numbered(), metrics: new Metrics() });
    const error = await caught(patient.call('a', { method: 'GET', path: '/x' }));
    expect(error).toMatchObject({ kind: 'unavailable', message: expect.stringContaining('long') });
    await closed;
  });

  it.each([
    [409, 'backend-exists', false],
    [422, 'name-not-allowed', false],
    [409, 'request-under-way', true],
    [429, 'rate-limited', true],
    [503, 'ca-unavailable', true],
  ])('%i %s: whether it may pass: %s', async (status, slug, passes) => {
    const type = `https://glacis.dev/problems/${slug}`;
    handler = answering(status, { type, detail: 'because' }, { 'retry-after': '7' });
    const error = await caught(door().call('a', { method: 'POST', path: '/x', body: {} }));
    expect(error).toMatchObject({ message: 'because', retryAfterMs: 7_000 });
    expect(isUnavailable(error)).toBe(passes);
    expect(isRefusal(error, slug)).toBe(!passes);
  });

  it('is unavailable when it does not answer, breaks off, or is not there', async () => {
    const call = { method: 'GET', path: '/x' } as const;
    handler = () => undefined;
    expect(isUnavailable(await caught(door().call('a', call)))).toBe(true);
    handler = (_, response) => {
      response.writeHead(200, { 'content-length': '9' }).write('x');
      setImmediate(() => response.destroy());
    };
    expect(isUnavailable(await caught(door().call('a', call)))).toBe(true);
    const nowhere = door(numbered(), 'http://127.0.0.1:1');
    expect(isUnavailable(await caught(nowhere.call('a', call)))).toBe(true);
    const noToken = { token: () => Promise.reject(new Error('no')), forget: () => undefined };
    expect(isUnavailable(await caught(door(noToken).call('a', call)))).toBe(true);
  });
});

describe('the suite', () => {
  const suite = (): Suite => new Suite(door(), 'a');

  it('takes what is gone for gone, and no other refusal', async () => {
    handler = answering(404, {});
    await expect(suite().backend('b')).resolves.toBeUndefined();
    await expect(suite().deleteBackend('b')).resolves.toBeUndefined();
    await expect(suite().revoke('1', 'superseded')).resolves.toBeUndefined();
    handler = answering(403, {});
    expect(isRefusal(await caught(suite().deleteBackend('b')))).toBe(true);
  });

  it('finds a backend by its description, on whatever page', async () => {
    handler = (path, response) => {
      const offset = Number(/offset=(\d+)/.exec(path)?.[1]);
      const backends = Array.from({ length: 100 }, (_, index) => ({
        id: `${offset + index}`,
        description: `d${offset + index}`,
      }));
      response.end(JSON.stringify({ backends: offset < 300 ? backends : [] }));
    };
    expect(await suite().findDescribed('d250')).toMatchObject({ id: '250' });
    expect(await suite().findDescribed('d999')).toBeUndefined();
  });

  it('counts the latest termination by a user that has ended a stream', async () => {
    const terminations = [
      { id: '4', type: 1, state: 'not_connected' },
      { id: '3', type: 0, state: 'closed' },
      { id: '2', type: 1, state: 'closed' },
      { id: '1', type: 1, state: 'closed' },
    ];
    handler = answering(200, { terminations });
    expect(await suite().latestTermination('b')).toBe('2');
  });
});

describe('tokens', () => {
  it('are asked for once per tenant, and anew at two thirds of their life or when one is not taken', async () => {
    const clock = new ManualClock();
    const asked: string[] = [];
    const credentials = new GatewayCredentials(
      {
        issueToken: async ({ tenant }) => {
          asked.push(tenant);
          const expiresAt = new Date(clock.now().getTime() + 900_000);
          return { token: `${tenant} ${asked.length}`, expiresAt };
        },
      },
      clock,
    );
    const both = await Promise.all([credentials.token('a'), credentials.token('a')]);
    expect(both).toEqual(['a 1', 'a 1']);
    clock.advance(599_000);
    expect(await credentials.token('a')).toBe('a 1');
    clock.advance(1_000);
    expect(await credentials.token('a')).toBe('a 2');
    credentials.forget('a');
    expect(await credentials.token('a')).toBe('a 3');
    expect(await credentials.token('b')).toBe('b 4');
  });

  it('that could not be had are asked for again', async () => {
    let fail = true;
    const issueToken = async (): Promise<{ token: string; expiresAt: Date }> => {
      if (fail) throw new Error('away');
      return { token: 't', expiresAt: new Date(Date.now() + 900_000) };
    };
    const credentials = new GatewayCredentials({ issueToken });
    await expect(credentials.token('a')).rejects.toThrow('away');
    fail = false;
    expect(await credentials.token('a')).toBe('t');
  });
});
