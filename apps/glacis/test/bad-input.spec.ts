import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { checkedRoutes } from '@glacis/contracts';
import { waitFor } from '@glacis/runtime';
import {
  badText,
  badToken,
  badValue,
  operationsOf,
  type OpenApi,
  type Operation,
} from './bad-input.js';
import { startSuite, type RunningSuite } from './running-suite.js';

// `GLACIS_FUZZ_SEED` repeats a run, `GLACIS_FUZZ_RUNS` makes it longer (tries per operation).
const seed = Number(process.env['GLACIS_FUZZ_SEED'] ?? Date.now() % 1_000_000);
const numRuns = Number(process.env['GLACIS_FUZZ_RUNS'] ?? 15);

interface Attempt {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

describe(`bad input, seed ${seed}`, () => {
  let suite: RunningSuite;
  let operations: Operation[];
  let known: Record<string, string>;

  beforeAll(async () => {
    suite = await startSuite({
      GLACIS_HTTP_CALLER_RATE: '100000/s',
      GLACIS_HTTP_CALLER_BURST: '1000000',
    });
    operations = operationsOf(await suite.api.json<OpenApi>('GET', '/openapi.json'));
    const created = await suite.api.call('POST', '/backends', { name: 'fuzzed', address: '' });
    const id = (created.headers.get('location') ?? '').split('/').pop() ?? '';
    const { serial_number: serial } = await suite.api.json<{ serial_number: string }>(
      'POST',
      `/certs/issue/backend/${id}`,
      {},
    );
    known = { id, serial, entityID: id, entityType: 'backend', type: '1', tenant: 'default' };
  });
  afterAll(async () => suite.close());

  function fill(path: string, values: Record<string, string>): string {
    return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? known[name] ?? 'x');
  }

  async function attempt({ method, path, headers, body }: Attempt): Promise<Response> {
    const response = await fetch(suite.door + path, { method, headers, body, redirect: 'manual' });
    // A path of dots may lead to a feed of events (`/apps/./events`), which has no end to wait for.
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      await response.body?.cancel();
      return response;
    }
    const text = await response.text();
    const told = `${method} ${path.slice(0, 200)} ${body?.slice(0, 300) ?? ''} -> ${response.status} ${text.slice(0, 300)}`;
    if (response.status >= 500) throw new Error(told);
    if (response.status >= 400 && method !== 'HEAD') {
      if (!isWhole(path, response.status, text)) throw new Error(`not a whole problem: ${told}`);
    }
    return response;
  }

  /** Some routes of jobs have errors of their own form (`jobs.md` 2). */
  function isWhole(path: string, code: number, text: string): boolean {
    const problem = JSON.parse(text) as Record<string, unknown>;
    const { pathname } = new URL(path, suite.door);
    if (checkedRoutes.some((route) => route === pathname))
      return typeof problem['error'] === 'string';
    return problem['status'] === code && !!problem['title'] && !!problem['request_id'];
  }

  // Deleting or ending what the others are tried on would make their tries worthless.
  const authorized = (): Record<string, string> => ({ authorization: `Bearer ${suite.token}` });

  it('in any member of any body is answered by a problem, never by a 5xx', async () => {
    for (const { method, path, members } of operations.filter(
      ({ members }) => members.length > 0,
    )) {
      const body = fc.dictionary(fc.constantFrom(...members), badValue, { minKeys: 1 });
      await fc.assert(
        fc.asyncProperty(body, async (value) => {
          const headers = { ...authorized(), 'content-type': 'application/json' };
          await attempt({ method, path: fill(path, {}), headers, body: JSON.stringify(value) });
        }),
        { seed, numRuns },
      );
    }
  }, 300_000);

  it('in any path parameter or query is answered by a problem, never by a 5xx', async () => {
    for (const { method, path, parameters } of operations) {
      const names = parameters.filter((parameter) => parameter.in !== 'header');
      if (names.length === 0) continue;
      const values = fc.record(Object.fromEntries(names.map(({ name }) => [name, badText])), {
        requiredKeys: names.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
      });
      await fc.assert(
        fc.asyncProperty(values, async (bad) => {
          const query = names
            .filter((parameter) => parameter.in === 'query' && bad[parameter.name] !== undefined)
            .map(({ name }) => `${name}=${bad[name]}`);
          const target = `${fill(path, bad)}${query.length > 0 ? `?${query.join('&')}` : ''}`;
          await attempt({ method, path: target, headers: authorized() });
        }),
        { seed, numRuns },
      );
    }
  }, 300_000);

  it('as a token never opens anything', async () => {
    const closed: Operation[] = [];
    for (const operation of operations) {
      const target = fill(operation.path, {});
      const { status } = await attempt({ method: operation.method, path: target, headers: {} });
      if (status === 401) closed.push(operation);
    }
    expect(closed.length).toBeGreaterThan(20);
    for (const { method, path } of closed) {
      await fc.assert(
        fc.asyncProperty(badToken(suite.token), async (authorization) => {
          const { status } = await attempt({
            method,
            path: fill(path, {}),
            headers: { authorization },
          });
          expect([401, 431]).toContain(status);
        }),
        { seed, numRuns: 4 },
      );
    }
  }, 120_000);

  it('as a body of another form is 400, 413 or 415', async () => {
    const forms: [string, string, number][] = [
      ['application/json', '{', 400],
      ['application/json', '"text"', 400],
      ['application/json', '[]', 400],
      ['application/json', `{"name":"${'x'.repeat(70_000)}"}`, 413],
      ['application/xml', '<name/>', 415],
      ['application/json', String.raw`{"name":"\ud800"}`, 400],
    ];
    for (const [type, body, expected] of forms) {
      const headers = { ...authorized(), 'content-type': type };
      const { status } = await attempt({ method: 'POST', path: '/backends', headers, body });
      expect([body.slice(0, 20), status]).toEqual([body.slice(0, 20), expected]);
    }
  });

  it('leaves the suite ready', async () => {
    expect((await fetch(`${suite.door}/health/ready`)).status).toBe(200);
  });

  describe('connections that never say anything', () => {
    const sockets: Socket[] = [];
    const open = async (port: number, count: number): Promise<void> => {
      await Promise.all(
        Array.from({ length: count }, async () => {
          const socket = connect(port, '127.0.0.1');
          sockets.push(socket);
          await new Promise<void>((resolve) => {
            socket.once('connect', resolve);
            socket.once('error', () => resolve());
            socket.once('close', () => resolve());
          });
        }),
      );
    };
    afterAll(() => sockets.forEach((socket) => socket.destroy()));

    it('10,000 of them, half on the door and half in the TLS handshake, stop nobody else', async () => {
      const door = Number(new URL(suite.door).port);
      const managers = Number(suite.managers.split(':').pop());
      for (let round = 0; round < 10; round += 1) {
        await open(door, 500);
        await open(managers, 500);
      }
      const health = await fetch(`${suite.door}/health/live`);
      expect(health.status).toBe(200);
      expect((await suite.api.call('GET', '/backends')).status).toBe(200);
      sockets.forEach((socket) => socket.destroy());
      await waitFor(async () => (await fetch(`${suite.door}/health/ready`)).status === 200);
    }, 120_000);
  });
});
