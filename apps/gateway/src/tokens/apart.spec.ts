import { RpcDirectory } from '@glacis/grpc';
import { identitySettings, openIdentity, type IdentityOptions } from '@glacis/identity';
import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { Problem } from '@glacis/http';
import { createLogger } from '@glacis/observability';
import { ManualClock, waitFor } from '@glacis/runtime';
import { loadSettings } from '@glacis/settings';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { openDoor, type Door } from '../../test/door.js';
import { deadUrl } from '../../test/wire.js';
import { gatewayMigrations } from '../migrations.js';

// A service that runs apart from the gateway and knows nothing of it but its address.

const logger = createLogger({ name: 'test', level: 'silent' });

let database: TestDatabase;
let clock: ManualClock;
let identity: TestIdentity;
let door: Door;
let directory: RpcDirectory;
let platform: string;

beforeAll(async () => {
  database = await testDatabase({ gateway: gatewayMigrations });
  clock = new ManualClock(new Date());
  identity = await testIdentity(clock);
  directory = new RpcDirectory();
  door = await openDoor({ databaseUrl: database.url, clock, identity, directory });
  platform = await identity.token({ tenant: 'acme', roles: ['admin', 'platform-admin'] });
});

afterAll(async () => {
  await door.close();
  await database.drop();
});

function openService(urls: string[], env: Record<string, string> = {}): IdentityOptions {
  const settings = loadSettings(identitySettings, {
    env: { GLACIS_TOKENS_GATEWAY_URLS: urls.join(','), ...env },
  });
  return openIdentity({ settings, logger, clock });
}

async function status({ verifier }: IdentityOptions, token: string): Promise<number> {
  try {
    await verifier.verify(`Bearer ${token}`);
    return 200;
  } catch (error) {
    if (error instanceof Problem) return error.status;
    throw error;
  }
}

const makeToken = async () => {
  const body = { subject: 'ci', roles: ['member'] };
  return (await door.call('/tokens', { method: 'POST', bearer: platform, body })).json;
};
const revoke = (id: string) => door.call(`/tokens/${id}`, { method: 'DELETE', bearer: platform });

/** Of the gateway it knows where its door is, or it may call it. */
const open = {
  'reads at the door': (env?: Record<string, string>) => openService([door.url], env),
  calls: (env: Record<string, string> = {}) => {
    const settings = loadSettings(identitySettings, { env });
    return openIdentity({ settings, logger, clock, gateway: directory.client('gateway') });
  },
};

describe.each(['reads at the door', 'calls'] as const)('a service that %s', (how) => {
  test('takes tokens of the gateway, and a revoked one no longer once it has polled', async () => {
    const service = open[how]({ GLACIS_TOKENS_REVOCATION_POLL: '20ms' });
    const { token, id } = await makeToken();
    expect(await status(service, token)).toBe(200);
    service.feed?.start();
    await revoke(id);
    await waitFor(async () => (await status(service, token)) === 401);
    await service.feed?.stop();
  });

  test('refuses a token that was revoked before it started from its first use on', async () => {
    const { token, id } = await makeToken();
    await revoke(id);
    expect(await status(open[how](), token)).toBe(401);
  });
});

test('the gateway not answering calls, tokens are 503, not 401', async () => {
  const nobody = new RpcDirectory().client('gateway');
  const settings = loadSettings(identitySettings, { env: {} });
  const service = openIdentity({ settings, logger, clock, gateway: nobody });
  expect(await status(service, platform)).toBe(503);
});

test('it asks the next replica of the gateway when one does not answer', async () => {
  const service = openService([await deadUrl(), door.url]);
  expect(await status(service, (await makeToken()).token)).toBe(200);
});

test('without any gateway tokens are 503, not 401', async () => {
  const service = openService([await deadUrl()]);
  expect(await status(service, platform)).toBe(503);
  expect(await status(service, 'nonsense')).toBe(401);
});

test('revocations are told page by page, and from a watermark on', async () => {
  const read = async (query = '') => {
    const reply = await door.call(`/.well-known/revoked-tokens${query}`);
    return reply.json as unknown as { revoked: { id: string }[]; watermark: string; more: boolean };
  };
  const { id } = await makeToken();
  await revoke(id);
  const { revoked, watermark, more } = await read();
  expect([revoked.map((each) => each.id).includes(id), more]).toEqual([true, false]);
  const next = await makeToken();
  await revoke(next.id);
  expect((await read(`?since=${watermark}`)).revoked.map((each) => each.id)).toContain(next.id);
  for (const since of ['', '-1', 'x', '1'.repeat(20), '0&since=1']) {
    const reply = await door.call(`/.well-known/revoked-tokens?since=${since}`);
    expect([since, reply.status]).toEqual([since, 400]);
  }
});

describe('POST /tokens/keys/rotation', () => {
  const rotate = (body: unknown, bearer = platform) =>
    door.call('/tokens/keys/rotation', { method: 'POST', bearer, body });

  test('is for platform administrators, and an overlap is within bounds', async () => {
    const admin = await identity.token({ roles: ['admin'] });
    expect((await rotate({}, admin)).status).toBe(403);
    for (const overlap of ['8761h', 'x', -1, 3]) {
      const reply = await rotate({ overlap });
      expect([overlap, reply.status, reply.json['field']]).toEqual([overlap, 400, 'overlap']);
    }
  });

  test('is audited first: what cannot be recorded is not done', async () => {
    const keySet = async () => (await door.call('/.well-known/jwks.json')).text;
    const before = await keySet();
    await door.store.query('ALTER TABLE audit RENAME TO audit_away');
    const { status: refused } = await rotate({});
    await door.store.query('ALTER TABLE audit_away RENAME TO audit');
    expect([refused, await keySet()]).toEqual([500, before]);
  });

  test('gives a new key that services learn of with the next token; old tokens are still good', async () => {
    const service = openService([door.url]);
    const before = (await makeToken()).token;
    expect(await status(service, before)).toBe(200);
    const reply = await rotate({});
    expect(reply.status).toBe(200);
    const set = await door.call('/.well-known/jwks.json');
    const keys = (set.json as unknown as { keys: { kid: string }[] }).keys;
    expect([keys.length, keys[0]?.kid]).toEqual([2, reply.json['key_id']]);
    clock.advance(2_000);
    const after = (await makeToken()).token;
    expect([await status(service, before), await status(service, after)]).toEqual([200, 200]);
    const trail = await door.call('/audit/gateway?action=token.keys.rotate', { bearer: platform });
    expect(trail.json.total).toBe(1);
  });

  test('without overlap refuses all earlier tokens, here at once and elsewhere when it is told', async () => {
    const service = openService([door.url]);
    const before = (await makeToken()).token;
    expect(await status(service, before)).toBe(200);
    expect((await rotate({ overlap: '0' })).status).toBe(200);
    expect((await door.call('/tokens', { bearer: platform })).status).toBe(401);
    service.verifier.recheck();
    expect(await status(service, before)).toBe(401);
    platform = await identity.token({ tenant: 'acme', roles: ['admin', 'platform-admin'] });
    expect((await door.call('/tokens', { bearer: platform })).status).toBe(200);
  });
});
