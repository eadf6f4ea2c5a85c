import { waitFor } from '@glacis/runtime';
import { startForwarding, type Forwarding } from '../../test/forwarding.js';
import { deadUrl, HttpService, rawService } from '../../test/wire.js';

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
