import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { waitFor } from '@glacis/runtime';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { startForwarding, type Forwarding } from '../../test/forwarding.js';
import { deadUrl, HttpService, rawService } from '../../test/wire.js';
import { upstreamRoots } from './upstream-roots.js';

// A service with several replicas behind the door.

let forwarding: Forwarding;
let backends: Forwarding['backends'];
let bearer: Forwarding['bearer'];

beforeAll(async () => {
  forwarding = await startForwarding();
  ({ backends, bearer } = forwarding);
});

beforeEach(() => forwarding.reset());
afterAll(() => forwarding.close());

test('requests are spread, and nobody notices one that is down', async () => {
  const second = await HttpService.start();
  second.handle = (_request, response) => void response.end('second');
  await forwarding.withDoor(
    { backends: [await deadUrl(), backends.url, second.url] },
    async (other) => {
      const texts: string[] = [];
      for (let i = 0; i < 30; i++) {
        const reply = await other.call('/backends', { bearer, method: 'POST', body: {} });
        texts.push(`${reply.status} ${reply.text}`);
      }
      expect(new Set(texts)).toEqual(new Set(['200 hello', '200 second']));
      const metrics = (await other.call('/metrics')).text;
      expect(metrics).toContain('glacis_gateway_upstream_broken{service="backends"} 1');
    },
  );
  await second.close();
});

test('a name that cannot be looked up takes no other replica with it', async () => {
  await forwarding.withDoor({ backends: ['http://nowhere.invalid', backends.url] }, async (other) =>
    expect((await other.call('/backends', { bearer })).text).toBe('hello'),
  );
});

test('a read that was cut is made again elsewhere, a write is not', async () => {
  let cut = 0;
  const broken = await rawService((socket) => {
    cut += 1;
    socket.destroy();
  });
  await forwarding.withDoor({ backends: [broken.url, backends.url] }, async (other) => {
    const read = async () => (await other.call('/backends', { bearer })).status;
    const write = async () =>
      (await other.call('/backends', { bearer, method: 'POST', body: {} })).status;
    expect([await read(), await read()]).toEqual([200, 200]);
    expect(cut).toBeGreaterThan(0);
    const writes = [await write(), await write()];
    expect(new Set(writes)).toEqual(new Set([200, 502]));
  });
  await broken.close();
});

test('bug: a write that named an Idempotency-Key was not made again elsewhere when it was cut', async () => {
  let cut = 0;
  const broken = await rawService((socket) => {
    cut += 1;
    socket.destroy();
  });
  const bodies: string[] = [];
  backends.handle = (raw, response) => {
    const chunks: Buffer[] = [];
    raw.on('data', (chunk: Buffer) => chunks.push(chunk));
    raw.once('end', () => {
      bodies.push(`${String(raw.headers['idempotency-key'])} ${Buffer.concat(chunks).toString()}`);
      response.end('done');
    });
  };
  await forwarding.withDoor({ backends: [broken.url, backends.url] }, async (other) => {
    const write = async (name: string, body: unknown) => {
      const headers = { 'idempotency-key': name };
      return (await other.call('/backends', { bearer, method: 'POST', body, headers })).status;
    };
    expect([await write('a', { name: 'x' }), await write('b', {}), await write('c', 'y')]).toEqual([
      200, 200, 200,
    ]);
    expect(cut).toBeGreaterThan(0);
    expect(bodies).toEqual(['a {"name":"x"}', 'b {}', 'c "y"']);
    // Too long to be at hand: sent once.
    const long = [await write('d', 'z'.repeat(70_000)), await write('e', 'z'.repeat(70_000))];
    expect(new Set(long)).toEqual(new Set([200, 502]));
  });
  await broken.close();
});

test('bug: replicas were asked for their health one after another', async () => {
  const silent = await rawService(() => undefined);
  await forwarding.withDoor({ backends: [silent.url, backends.url] }, async (other) => {
    for (let i = 0; i < 2; i++) {
      expect((await other.call('/health/ready')).json['error']).toEqual({});
    }
  });
  await silent.close();
});

test('bug: a service with a certificate of an own CA could not be spoken to', async () => {
  const folder = await temporaryFolder();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const made = await openssl(
    ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '1', '-subj', '/CN=own'].concat([
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-out',
      cert,
      '-keyout',
      key,
    ]),
  );
  expect(made.code).toBe(0);
  const service = createServer(
    { cert: await readFile(cert), key: await readFile(key) },
    (_request, response) => void response.end('over TLS'),
  ).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const url = `https://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const env = { GLACIS_GATEWAY_UPSTREAM_CA_FILE: cert };
  await forwarding.withDoor({ backends: [url] }, async (other) =>
    expect((await other.call('/backends', { bearer })).status).toBe(503),
  );
  await forwarding.withDoor({ backends: [url], env }, async (other) =>
    expect((await other.call('/backends', { bearer })).text).toBe('over TLS'),
  );
  const bad = [
    { name: 'GLACIS_GATEWAY_UPSTREAM_CA_FILE', reason: expect.stringContaining('holds no') },
  ];
  expect(() => upstreamRoots(key)).toThrow(expect.objectContaining({ bad }));
  service.close();
});

test('one that comes back gets requests again', async () => {
  const url = await deadUrl();
  await forwarding.withDoor({ backends: [url] }, async (other) => {
    const status = async () => (await other.call('/backends', { bearer })).status;
    for (let i = 0; i < 4; i++) expect(await status()).toBe(503);
    const revived = await HttpService.start(Number(new URL(url).port));
    await waitFor(async () => (await status()) === 200);
    await revived.close();
  });
});
