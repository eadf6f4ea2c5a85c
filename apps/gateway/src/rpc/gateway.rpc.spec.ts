import type { GatewayRpc } from '@glacis/contracts';
import { RpcDirectory, status } from '@glacis/grpc';
import { testIdentity, type TestIdentity } from '@glacis/identity/testing';
import { ManualClock } from '@glacis/runtime';
import { testDatabase, type TestDatabase } from '@glacis/testbed';
import { openDoor, type Door } from '../../test/door.js';
import { gatewayMigrations } from '../migrations.js';

const minute = 60_000;
const operator = 'service:operator';

let database: TestDatabase;
let clock: ManualClock;
let identity: TestIdentity;
let doors: Door[];
let gateway: GatewayRpc;

beforeAll(async () => {
  database = await testDatabase({ gateway: gatewayMigrations });
  clock = new ManualClock(new Date());
  identity = await testIdentity(clock);
  const directory = new RpcDirectory();
  const shared = { databaseUrl: database.url, clock, identity };
  doors = [await openDoor({ ...shared, directory }), await openDoor(shared)];
  gateway = directory.client('gateway');
});

afterAll(async () => {
  await Promise.all(doors.map((door) => door.close()));
  await database.drop();
});

const ask = (door: Door, bearer: string) => door.call('/audit/gateway', { bearer });

test('a service is given a token of 15 minutes that every replica takes', async () => {
  const { token, expiresAt } = await gateway.issueToken({ tenant: 'acme', requestedBy: operator });
  expect(Math.round((expiresAt.getTime() - clock.now().getTime()) / minute)).toBe(15);
  const replies = await Promise.all(doors.map((door) => ask(door, token)));
  expect(replies.map((reply) => reply.status)).toEqual([200, 200]);
  clock.advance(15 * minute);
  expect((await ask(doors[0]!, token)).json['detail']).toBe('the token has expired');
});

test('it speaks for that tenant alone, and is listed and revoked as any other', async () => {
  const { token } = await gateway.issueToken({ tenant: 'globex', requestedBy: operator });
  const mine = (await ask(doors[0]!, token)).json;
  expect(mine.entries).toMatchObject([
    { actor: operator, tenant: 'globex', action: 'token.create', after: { roles: ['admin'] } },
  ]);
  const platform = await doors[0]!.call('/tokens/keys/rotation', {
    method: 'POST',
    bearer: token,
    body: {},
  });
  expect(platform.status).toBe(403);
  const { tokens } = (await doors[0]!.call('/tokens', { bearer: token })).json;
  expect(tokens).toMatchObject([{ subject: operator, tenant: 'globex', created_by: operator }]);
  const path = `/tokens/${tokens[0]?.id}`;
  expect((await doors[0]!.call(path, { method: 'DELETE', bearer: token })).status).toBe(204);
  expect((await ask(doors[0]!, token)).status).toBe(401);
});

test.each(['service:backends', 'service:operator2', 'operator', 'service:', ''])(
  'nobody else is given one: %j',
  async (requestedBy) => {
    await expect(gateway.issueToken({ tenant: 'acme', requestedBy })).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
    });
  },
);

test.each(['', ' acme', 'ac\nme', 'a'.repeat(256)])('there is no tenant %j', async (tenant) => {
  const refused = gateway.issueToken({ tenant, requestedBy: operator });
  await expect(refused).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
});

test('what services read is what the door publishes', async () => {
  const [door] = doors;
  const { text } = await door!.call('/.well-known/jwks.json');
  const { jwks } = await gateway.keySet({});
  expect(JSON.parse(jwks)).toEqual(JSON.parse(text));
  const { revoked, more } = await gateway.revokedTokens({});
  const published = (await door!.call('/.well-known/revoked-tokens')).json;
  expect({
    revoked: revoked.map((each) => ({ id: each.id, expires_at: each.expiresAt.toISOString() })),
    more,
  }).toEqual({ revoked: published['revoked'], more: published['more'] });
  await expect(gateway.revokedTokens({ since: '1 OR 1' })).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
});
