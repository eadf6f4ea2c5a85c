import { generateKeyPairSync } from 'node:crypto';
import { InProcessBus } from '@glacis/events';
import { RevokedTokens, TokenIssuer } from '@glacis/identity';
import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { createLogger } from '@glacis/observability';
import { ManualClock, waitFor } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { openDoor, type Door, type DoorOptions } from '../../test/door.js';
import { gatewayMigrations } from '../migrations.js';
import { ExpiredTokens } from './expired-tokens.js';
import { revocationSource } from './tokens.store.js';
import { TokensService } from './tokens.service.js';

const hour = 3_600_000;

let database: TestDatabase;
let clock: ManualClock;
let identity: TestIdentity;
let door: Door;
let admin: string;
let platform: string;

beforeAll(async () => {
  database = await testDatabase({ gateway: gatewayMigrations });
  clock = new ManualClock(new Date());
  identity = await testIdentity(clock);
  door = await openDoor({ databaseUrl: database.url, clock, identity });
  admin = await identity.token({
    subject: 'ada',
    tenant: 'acme',
    roles: ['admin'],
    ttlMs: 900 * hour,
  });
  platform = await identity.token({
    subject: 'root',
    tenant: null,
    roles: ['platform-admin'],
    ttlMs: 900 * hour,
  });
});

afterAll(async () => {
  await door.close();
  await database.drop();
});

const good = { subject: 'ci', roles: ['member'] };
const create = (body: unknown = good, bearer = admin) =>
  door.call('/tokens', { method: 'POST', bearer, body });
const revoke = (id: string, bearer = admin) =>
  door.call(`/tokens/${id}`, { method: 'DELETE', bearer });

describe('a token', () => {
  test('is made, used, listed without its text, and revoked', async () => {
    const made = await create({ subject: 'ci', roles: ['admin', 'member'], ttl: '1h' });
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const { token, id, expires_at } = made.json;
    expect(Object.keys(made.json)).toEqual(['token', 'id', 'expires_at']);
    expect(new Date(expires_at).getTime()).toBe(
      Math.floor(clock.now().getTime() / 1000) * 1000 + hour,
    );

    const one = await door.call(`/tokens/${id}`, { bearer: token });
    expect(one.json).toEqual({
      id,
      subject: 'ci',
      tenant: 'acme',
      roles: ['admin', 'member'],
      created_at: expect.stringMatching(/Z$/),
      created_by: 'ada',
      expires_at,
    });
    const list = await door.call('/tokens?limit=1', { bearer: token });
    expect(list.json).toEqual({ total: expect.any(Number), limit: 1, tokens: [one.json] });

    expect(await revoke(id)).toMatchObject({ status: 204, text: '' });
    const replayed = await door.call('/tokens', { bearer: token });
    expect(replayed).toMatchObject({ status: 401, json: { detail: 'the token was revoked' } });
    expect((await door.call(`/tokens/${id}`, { bearer: admin })).json).toMatchObject({
      revoked_at: clock.now().toISOString(),
      revoked_by: 'ada',
    });
  });

  test('is revoked once, however often it is asked for', async () => {
    const { id } = (await create()).json;
    clock.advance(1);
    const replies = await Promise.all(Array.from({ length: 5 }, () => revoke(id)));
    expect(replies.map((reply) => reply.status)).toEqual([204, 204, 204, 204, 204]);
    const events = await door.store.query<{ envelope: string }>(
      `SELECT envelope FROM outbox WHERE key = $1`,
      [id],
    );
    expect(events.map(({ envelope }) => JSON.parse(envelope))).toMatchObject([
      { type: 'token.revoked', subject: id, tenant: 'acme', data: { token_id: id } },
    ]);
    const trail = await door.call(`/audit/gateway?subject=${id}`, { bearer: admin });
    expect(trail.json.entries).toMatchObject([
      { action: 'token.revoke', actor: 'ada', tenant: 'acme' },
      { action: 'token.create', actor: 'ada', after: { subject: 'ci', roles: ['member'] } },
    ]);
    expect(trail.json.entries[0]?.request_id).toEqual(expect.any(String));
  });

  test('lives 24 hours unless told otherwise, and is refused from then on', async () => {
    const { token, id } = (await create({ ...good, roles: ['admin'] })).json;
    clock.advance(24 * hour - 1_000);
    expect((await door.call(`/tokens/${id}`, { bearer: token })).status).toBe(200);
    clock.advance(1_000);
    const late = await door.call(`/tokens/${id}`, { bearer: token });
    expect(late).toMatchObject({ status: 401, json: { detail: 'the token has expired' } });
    expect((await revoke(id)).status).toBe(204);
  });

  test('is never kept or logged, whole or in part', async () => {
    const { token } = (await create()).json;
    await door.call('/tokens', { bearer: token });
    const signature = token.slice(-40);
    const dump = await door.store.query<{ row: string }>(
      `SELECT t::text AS row FROM tokens t UNION ALL SELECT a::text FROM audit a
       UNION ALL SELECT o::text FROM outbox o`,
    );
    expect(dump.length).toBeGreaterThan(1);
    expect(dump.filter(({ row }) => row.includes(signature))).toEqual([]);
    expect(door.log()).not.toContain(signature);
  });

  test('is recorded together with its audit entry or not at all', async () => {
    const { token, id } = (await create({ ...good, roles: ['admin'] })).json;
    const count = async () => (await door.call('/tokens', { bearer: platform })).json.total;
    const before = await count();
    await door.store.query('ALTER TABLE audit ADD CONSTRAINT closed CHECK (false) NOT VALID');
    try {
      expect((await create()).status).toBe(500);
      expect((await revoke(id)).status).toBe(500);
    } finally {
      await door.store.query('ALTER TABLE audit DROP CONSTRAINT closed');
    }
    expect(await count()).toBe(before);
    expect((await door.call(`/tokens/${id}`, { bearer: token })).status).toBe(200);
  });

  test('of the first administrator is recorded like any other, and opens everything', async () => {
    const tokens = door.app.get(TokensService, { strict: false });
    const { token, id } = await tokens.createFirst();
    expect((await door.call(`/tokens/${id}`, { bearer: token })).json).toMatchObject({
      subject: 'admin',
      tenant: 'default',
      roles: ['admin', 'platform-admin'],
      created_by: 'gateway',
    });
    expect((await create({ ...good, tenant: 'any' }, token)).status).toBe(201);
    expect((await revoke(id, token)).status).toBe(204);
    expect((await create(good, token)).status).toBe(401);
  });

  test('is signed by a key of /.well-known/jwks.json', async () => {
    const keys = createRemoteJWKSet(new URL(`${door.url}/.well-known/jwks.json`));
    const { token, id } = (await create()).json;
    const { payload } = await jwtVerify(token, keys, {
      issuer: 'glacis',
      audience: 'glacis',
      currentDate: clock.now(),
    });
    expect(payload).toMatchObject({ sub: 'ci', domain: 'acme', jti: id });
  });
});

describe('who may do what', () => {
  const routes = [
    ['POST', '/tokens'],
    ['GET', '/tokens'],
    ['GET', '/tokens/0197b0a0-0000-7000-8000-000000000000'],
    ['DELETE', '/tokens/0197b0a0-0000-7000-8000-000000000000'],
    ['GET', '/audit/gateway'],
    ['GET', '/audit/gateway/verification'],
  ] as const;

  test.each(routes)(
    '%s %s: 401 without a good token, 403 without the role',
    async (method, path) => {
      const body = method === 'POST' ? { subject: 7 } : undefined;
      const call = (bearer?: string) => door.call(path, { method, bearer, body });
      const stranger = await TokenIssuer.fromKey(generateKeyPairSync('ed25519').privateKey, {
        clock,
      });
      const forged = await stranger.issue({
        subject: 'x',
        tenant: 'acme',
        roles: ['platform-admin'],
        ttlMs: hour,
      });
      for (const bearer of [undefined, 'nonsense', forged.token]) {
        expect(await call(bearer)).toMatchObject({
          status: 401,
          json: { code: 'unauthenticated' },
        });
      }
      const powerless = [
        { tenant: 'acme', roles: ['member'] },
        { tenant: 'acme', roles: [] },
        { tenant: null, roles: ['admin'] },
        { tenant: null, roles: ['member'] },
        { tenant: 'acme', roles: ['Admin', 'platform_admin'] },
      ];
      for (const who of powerless) {
        expect(await call(await identity.token(who))).toMatchObject({
          status: 403,
          json: { code: 'forbidden' },
        });
      }
    },
  );

  test('an administrator of a tenant makes no token beyond it', async () => {
    const beyond = [
      { ...good, tenant: 'other' },
      { ...good, tenant: null },
      { ...good, roles: ['platform-admin'] },
      { ...good, roles: ['admin', 'platform-admin'] },
      { ...good, tenant: 'ACME' },
    ];
    for (const body of beyond) {
      expect(await create(body)).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    }
    expect((await create({ ...good, tenant: 'acme', roles: ['admin'] })).status).toBe(201);
  });

  test('the platform administrator makes any', async () => {
    for (const body of [
      { ...good, tenant: 'other' },
      { subject: 'root-2', tenant: null, roles: ['platform-admin'] },
      { subject: 'root-3', roles: ['platform-admin'] },
    ]) {
      expect((await create(body, platform)).status).toBe(201);
    }
  });

  test("another tenant's token, and one above the own powers, answers like an unknown one", async () => {
    const foreign = (await create({ ...good, tenant: 'other' }, platform)).json.id;
    const above = (await create({ ...good, tenant: 'acme', roles: ['platform-admin'] }, platform))
      .json.id;
    const unknown = '0197b0a0-0000-7000-8000-000000000000';
    const odd = [
      '1',
      'x'.repeat(5000),
      '%00',
      foreign.toUpperCase(),
      `${foreign}%20`,
      '..%2ftokens',
    ];
    for (const id of [foreign, above, unknown, ...odd]) {
      for (const method of ['GET', 'DELETE']) {
        const reply = await door.call(`/tokens/${id}`, { method, bearer: admin });
        expect(reply).toMatchObject({ status: 404, json: { code: 'not-found' } });
      }
    }
    const listed = await door.call('/tokens?limit=100', { bearer: admin });
    const ids = listed.json.tokens.map((token) => token.id);
    expect(ids).not.toContain(foreign);
    expect(ids).not.toContain(above);
    expect((await door.call(`/tokens/${foreign}`, { bearer: platform })).status).toBe(200);
    expect((await revoke(above, platform)).status).toBe(204);
  });

  test('the audit trail shows an administrator the own tenant only', async () => {
    await create({ ...good, tenant: 'other' }, platform);
    const tenantsSeen = async (bearer: string) => {
      const { json } = await door.call('/audit/gateway?limit=100', { bearer });
      return new Set(json.entries.map((entry) => entry.tenant));
    };
    expect(await tenantsSeen(admin)).toEqual(new Set(['acme']));
    expect((await tenantsSeen(platform)).has('other')).toBe(true);
    const verified = await door.call('/audit/gateway/verification', { bearer: platform });
    expect(verified.json).toMatchObject({ intact: true, broken_at: null, reason: null });
    expect((await door.call('/audit/gateway/verification', { bearer: admin })).status).toBe(403);
  });

  test('a changed audit row shows in the verification', async () => {
    await create();
    const verification = async () =>
      (await door.call('/audit/gateway/verification', { bearer: platform })).json;
    await waitFor(async () => (await verification()).unsealed === 0, { what: 'the sealer' });
    const [row] = await door.store.query<{ sequence: string; actor: string }>(
      'SELECT sequence, actor FROM audit ORDER BY sequence LIMIT 1',
    );
    await door.store.query(`UPDATE audit SET actor = 'nobody' WHERE sequence = $1`, [
      row?.sequence,
    ]);
    expect(await verification()).toMatchObject({ intact: false, broken_at: 1, reason: 'changed' });
    await door.store.query(`UPDATE audit SET actor = $1 WHERE sequence = $2`, [
      row?.actor,
      row?.sequence,
    ]);
    expect(await verification()).toMatchObject({ intact: true });
  });
});

describe('bad input is a 400 that names the member:', () => {
  const cases: [string, unknown, string][] = [
    ['no subject', { roles: ['member'] }, 'subject'],
    ['subject null', { ...good, subject: null }, 'subject'],
    ['subject a number', { ...good, subject: 7 }, 'subject'],
    ['subject an object', { ...good, subject: {} }, 'subject'],
    ['subject empty', { ...good, subject: '' }, 'subject'],
    ['subject blank', { ...good, subject: ' \t ' }, 'subject'],
    ['subject too long', { ...good, subject: 'x'.repeat(256) }, 'subject'],
    ['subject with a line feed', { ...good, subject: 'a\nb' }, 'subject'],
    ['subject with NUL', { ...good, subject: 'a\u0000b' }, 'subject'],
    ['subject with half a surrogate pair', { ...good, subject: 'a\ud800' }, 'subject'],
    ['tenant a list', { ...good, tenant: ['acme'] }, 'tenant'],
    ['tenant a number', { ...good, tenant: 1 }, 'tenant'],
    ['tenant empty', { ...good, tenant: '' }, 'tenant'],
    ['tenant too long', { ...good, tenant: 'x'.repeat(256) }, 'tenant'],
    ['tenant with NUL', { ...good, tenant: '\u0000' }, 'tenant'],
    ['tenant with DEL', { ...good, tenant: 'a\u007f' }, 'tenant'],
    ['no roles', { subject: 'ci' }, 'roles'],
    ['roles a text', { ...good, roles: 'member' }, 'roles'],
    ['roles null', { ...good, roles: null }, 'roles'],
    ['roles empty', { ...good, roles: [] }, 'roles'],
    ['a role twice', { ...good, roles: ['member', 'member'] }, 'roles'],
    ['an unknown role', { ...good, roles: ['member', 'root'] }, 'roles.1'],
    ['a role of another type', { ...good, roles: [true] }, 'roles.0'],
    ['very many roles', { ...good, roles: Array.from({ length: 5_000 }, () => 'member') }, 'roles'],
    ['ttl a number', { ...good, ttl: 60 }, 'ttl'],
    ['ttl null', { ...good, ttl: null }, 'ttl'],
    ['ttl without unit', { ...good, ttl: '60' }, 'ttl'],
    ['ttl negative', { ...good, ttl: '-1h' }, 'ttl'],
    ['ttl nothing', { ...good, ttl: '0' }, 'ttl'],
    ['ttl under a second', { ...good, ttl: '999ms' }, 'ttl'],
    ['ttl over the bound', { ...good, ttl: '8760h1s' }, 'ttl'],
    ['ttl beyond any number', { ...good, ttl: `${'9'.repeat(400)}h` }, 'ttl'],
    ['ttl with NUL', { ...good, ttl: '1h\u0000' }, 'ttl'],
  ];

  test.each(cases)('%s', async (_, body, field) => {
    expect(await create(body)).toMatchObject({ status: 400, json: { code: 'malformed', field } });
  });

  test('a body that is no object, no JSON, too large or of another type', async () => {
    for (const body of [[], 'text', 7, null]) expect((await create(body)).status).toBe(400);
    const raw = async (text: string, type: string) => {
      const headers = { authorization: `Bearer ${admin}`, 'content-type': type };
      return (await fetch(`${door.url}/tokens`, { method: 'POST', headers, body: text })).status;
    };
    expect(await raw('{"subject":', 'application/json')).toBe(400);
    expect(await raw('subject=ci', 'application/x-www-form-urlencoded')).toBe(415);
    expect(await raw(JSON.stringify({ ...good, x: 'x'.repeat(70_000) }), 'application/json')).toBe(
      413,
    );
  });

  const queries = [
    'offset=-1',
    'offset=x',
    'limit=0',
    'limit=101',
    'limit=1&limit=2',
    'limit=1e1',
    'offset=1.5',
  ];
  test.each(queries)('GET /tokens?%s', async (query) => {
    const field = query.split('=')[0];
    for (const path of ['/tokens', '/audit/gateway']) {
      expect(await door.call(`${path}?${query}`, { bearer: admin })).toMatchObject({
        status: 400,
        json: { field },
      });
    }
  });

  test('audit filters', async () => {
    for (const query of [`action=${'x'.repeat(256)}`, 'subject=%00', 'action=a&action=b']) {
      const reply = await door.call(`/audit/gateway?${query}`, { bearer: admin });
      expect(reply).toMatchObject({ status: 400, json: { field: query.split('=')[0] } });
    }
  });

  test('unknown members are passed over, and longest values are taken', async () => {
    const longest = { subject: 'é'.repeat(255), tenant: 'acme', roles: ['member'], ttl: '8760h' };
    expect((await create({ ...longest, more: { of: 'this' } })).status).toBe(201);
    expect((await create({ ...good, ttl: '1s' })).status).toBe(201);
  });
});

describe('a revocation reaches', () => {
  const replica = async (options: Partial<DoorOptions> = {}) => {
    const revoked = new RevokedTokens(clock);
    const opened = await openDoor({
      databaseUrl: database.url,
      clock,
      identity,
      revoked,
      ...options,
    });
    return { revoked, opened };
  };

  test('a process that starts after it', async () => {
    const { token, id } = (await create({ ...good, roles: ['admin'] })).json;
    await revoke(id);
    const { opened } = await replica();
    try {
      const refused = await opened.call('/tokens', { bearer: token });
      expect(refused).toMatchObject({ status: 401, json: { detail: 'the token was revoked' } });
    } finally {
      await opened.close();
    }
  });

  test('another process whose broadcast was lost', async () => {
    // A bus of its own: this replica hears nothing of what the first one tells.
    const { opened } = await replica({ env: { GLACIS_GATEWAY_REVOCATION_POLL: '50ms' } });
    try {
      const { token, id } = (await create({ ...good, roles: ['admin'] })).json;
      expect((await opened.call('/tokens', { bearer: token })).status).toBe(200);
      await revoke(id);
      await waitFor(async () => (await opened.call('/tokens', { bearer: token })).status === 401);
    } finally {
      await opened.close();
    }
  });

  test('another process at once, by broadcast', async () => {
    // A database of their own, as the relay of the first door would tell its own bus.
    const own = await testDatabase({ gateway: gatewayMigrations });
    const shared = {
      databaseUrl: own.url,
      bus: new InProcessBus({ logger: createLogger({ name: 'bus', level: 'silent' }) }),
      env: { GLACIS_GATEWAY_REVOCATION_POLL: '1h' },
    };
    const [{ opened: first }, { opened: second }] = [await replica(shared), await replica(shared)];
    try {
      const body = { ...good, roles: ['admin'] };
      const made = await first.call('/tokens', { method: 'POST', bearer: admin, body });
      const { token, id } = made.json;
      expect((await second.call('/tokens', { bearer: token })).status).toBe(200);
      await first.call(`/tokens/${id}`, { method: 'DELETE', bearer: admin });
      await waitFor(async () => (await second.call('/tokens', { bearer: token })).status === 401);
    } finally {
      await Promise.all([first.close(), second.close()]);
      await own.drop();
    }
  });

  test('the next read, also when its transaction began long before and commits late', async () => {
    const source = revocationSource(door.store, () => clock.now());
    const early = (await create()).json.id;
    const late = (await create()).json.id;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const mark = `UPDATE tokens SET revoked_at = now(), revoked_xid = pg_current_xact_id() WHERE id = $1`;
    let marked = (): void => undefined;
    const isMarked = new Promise<void>((resolve) => (marked = resolve));
    const slow = door.store.transaction(async (tx) => {
      await tx.query(mark, [late]);
      marked();
      await released;
    });
    await isMarked;
    await revoke(early);
    const first = await source.revokedSince(null);
    const idsOf = (read: typeof first) => read.revoked.map(({ id }) => id);
    expect(idsOf(first)).toContain(early);
    expect(idsOf(first)).not.toContain(late);
    release();
    await slow;
    const second = await source.revokedSince(first.watermark);
    expect(idsOf(second)).toContain(late);
    // Told again as long as any transaction of the server, of other databases too, began before them.
    let { watermark } = second;
    await waitFor(async () => {
      const next = await source.revokedSince(watermark);
      watermark = next.watermark;
      return next.revoked.length === 0;
    });
  });
});

test('a token is listed for a while after its end, and then forgotten', async () => {
  const { id } = (await create({ ...good, ttl: '1h' })).json;
  const listed = async (): Promise<number> =>
    (await door.call(`/tokens/${id}`, { bearer: admin })).status;
  const expired = door.app.get(ExpiredTokens, { strict: false });
  clock.advance(hour + 720 * hour - 1_000);
  await expired.purge();
  expect(await listed()).toBe(200);
  clock.advance(2_000);
  await expired.purge();
  expect(await listed()).toBe(404);
});
