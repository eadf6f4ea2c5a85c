import { randomBytes } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InProcessBus, type BusDriver } from '@glacis/events';
import { newSigningKey, RevokedTokens, TokenIssuer, TokenVerifier } from '@glacis/identity';
import { Problem } from '@glacis/http';
import { createLogger } from '@glacis/observability';
import { ManualClock, waitFor } from '@glacis/runtime';
import { openStore, type Store } from '@glacis/store';
import { temporaryFolder, testDatabase, type TestDatabase } from '@glacis/testbed';
import { gatewayMigrations } from '../migrations.js';
import { openDoor, type Door } from '../../test/door.js';
import { KeptKeys } from './kept-keys.js';

const hour = 3_600_000;
const request = { subject: 'ops', tenant: 'acme', roles: ['admin'], ttlMs: hour };
const logger = createLogger({ name: 'test', level: 'silent' });

let database: TestDatabase;
let store: Store;
let clock: ManualClock;
let kekFile: string;

beforeAll(async () => {
  database = await testDatabase({ gateway: gatewayMigrations });
  store = await openStore({
    service: 'gateway',
    url: database.url,
    migrations: gatewayMigrations,
    logger,
  });
});

beforeEach(async () => {
  await store.query('DELETE FROM issuer_keys');
  clock = new ManualClock(new Date(Math.floor(Date.now() / 1000) * 1000));
  kekFile = join(await temporaryFolder(), 'kek');
  await writeFile(kekFile, `${randomBytes(32).toString('base64')}\n`);
});

afterAll(async () => {
  await store.close();
  await database.drop();
});

/** A process of its own on the shared database, as far as keys go; it hears of nothing unless it is told. */
async function replica() {
  const kept = await KeptKeys.open(store, kekFile, clock);
  const issuer = new TokenIssuer({ clock });
  const verifier = new TokenVerifier({
    issuers: [issuer.trusted()],
    revoked: new RevokedTokens(clock),
    clock,
  });
  await issuer.keys.keptBy(() => kept.read());
  const rotate = (overlapMs: number) => store.transaction((tx) => kept.rotate(tx, overlapMs));
  return { kept, issuer, verifier, rotate };
}

type Replica = Awaited<ReturnType<typeof replica>>;

async function accepts({ verifier }: Replica, token: string): Promise<boolean> {
  try {
    await verifier.verify(`Bearer ${token}`);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return false;
    throw error;
  }
}

const text = async ({ issuer }: Replica) => (await issuer.issue(request)).token;
const kids = async ({ issuer }: Replica) => (await issuer.jwks()).keys.map(({ kid }) => kid);

test('all who start at once have the same key', async () => {
  const replicas = await Promise.all(Array.from({ length: 6 }, replica));
  const ids = await Promise.all(replicas.map(kids));
  expect(new Set(ids.flat()).size).toBe(1);
});

test('after a rotation the new key signs, and tokens of the old one are good until they expire', async () => {
  const one = await replica();
  const before = await text(one);
  const [oldKey] = await kids(one);
  const newKey = await one.rotate(hour);
  one.verifier.recheck();
  const after = await text(one);
  expect(await kids(one)).toEqual([newKey, oldKey]);
  clock.advance(hour - 1);
  one.verifier.recheck();
  expect([await accepts(one, before), await accepts(one, after)]).toEqual([true, true]);
});

test('a replica that has not heard of a rotation takes tokens of the new key from the first on', async () => {
  const [one, two] = [await replica(), await replica()];
  await one.rotate(hour);
  one.verifier.recheck();
  const stale = await text(two);
  const fresh = await text(one);
  for (const each of [one, two]) {
    expect([await accepts(each, fresh), await accepts(each, stale)]).toEqual([true, true]);
  }
  expect(await kids(two)).toEqual(await kids(one));
});

test('without overlap all earlier tokens are refused, whichever key signed them', async () => {
  const [one, two] = [await replica(), await replica()];
  const first = await text(one);
  await one.rotate(hour);
  one.verifier.recheck();
  const second = await text(one);
  const newKey = await two.rotate(0);
  const replicas = [one, two, await replica()];
  for (const each of replicas) each.verifier.recheck();
  for (const each of replicas) {
    expect([await accepts(each, first), await accepts(each, second)]).toEqual([false, false]);
    expect(await accepts(each, await text(two))).toBe(true);
    expect(await kids(each)).toEqual([newKey]);
  }
});

test('two rotations at once are one after the other', async () => {
  const [one, two] = [await replica(), await replica()];
  const first = await text(one);
  const made = await Promise.all([one.rotate(hour), two.rotate(hour)]);
  one.verifier.recheck();
  const [signing, ...retired] = await kids(one);
  expect(made).toContain(signing);
  expect(retired).toHaveLength(2);
  expect(await accepts(one, first)).toBe(true);
});

test('a retired key verifies no more once its overlap is over, and goes with the next rotation', async () => {
  const [one, two] = [await replica(), await replica()];
  const before = await text(one);
  const newKey = await one.rotate(60_000);
  one.verifier.recheck();
  expect(await accepts(one, before)).toBe(true);
  clock.advance(2 * 60_000);
  for (const each of [one, two]) {
    each.verifier.recheck();
    expect([await kids(each), await accepts(each, before)]).toEqual([[newKey], false]);
  }
  await one.rotate(hour);
  expect(await store.query('SELECT id FROM issuer_keys')).toHaveLength(2);
});

test('tokens with made-up key ids do not have the keys read each time', async () => {
  const one = await replica();
  const forger = await TokenIssuer.fromKey(newSigningKey(), { clock });
  const forged = await forger.issue(request);
  let reads = 0;
  await one.issuer.keys.keptBy(async () => {
    reads += 1;
    return one.kept.read();
  });
  reads = 0;
  const attempts = Array.from({ length: 500 }, () => accepts(one, forged.token));
  expect((await Promise.all(attempts)).includes(true)).toBe(false);
  expect(reads).toBeLessThanOrEqual(2);
  for (let used = 0; used < 50; used++) await text(one);
  expect(reads).toBeLessThanOrEqual(2);
});

test('the database being away, tokens of known keys are still taken', async () => {
  const one = await replica();
  const token = await text(one);
  await store.query('ALTER TABLE issuer_keys RENAME TO keys_away');
  try {
    one.verifier.recheck();
    await expect(accepts(one, token)).rejects.toMatchObject({ status: 503 });
  } finally {
    await store.query('ALTER TABLE keys_away RENAME TO issuer_keys');
  }
  expect(await accepts(one, token)).toBe(true);
});

describe('nothing counts that is not under the key-encryption key', () => {
  test('no private key lies in the table, and none at all once it signs no more', async () => {
    const one = await replica();
    const { signing } = await one.issuer.keys.current();
    await one.rotate(hour);
    const [dump] = await store.query<{ all: string }>(
      `SELECT string_agg(k::text, '') AS all FROM issuer_keys k`,
    );
    const secret = signing.key.export({ format: 'jwk' }).d ?? '';
    expect(dump?.all).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
  });

  test.each([
    ['a life made longer', `UPDATE issuer_keys SET until = until + interval '1 year'`],
    [
      'a retired key that signs again',
      `DELETE FROM issuer_keys WHERE until IS NULL; UPDATE issuer_keys SET until = NULL`,
    ],
    ['another name', `UPDATE issuer_keys SET id = 'x' WHERE until IS NOT NULL`],
    [
      'the content of another row',
      `UPDATE issuer_keys SET ciphertext = (SELECT ciphertext FROM issuer_keys WHERE until IS NULL)`,
    ],
  ])('%s is noticed', async (_, change) => {
    const one = await replica();
    await one.rotate(hour);
    for (const statement of change.split(';')) await store.query(statement);
    await expect(one.kept.read()).rejects.toMatchObject({ code: 'SEAL_BROKEN' });
  });

  test('a process with another one does not start', async () => {
    await replica();
    await writeFile(kekFile, randomBytes(32));
    await expect(replica()).rejects.toMatchObject({ code: 'SEAL_BROKEN' });
  });
});

test('keys of an older key-encryption key are wrapped anew, so that it can go', async () => {
  const old = await replica();
  const token = await text(old);
  const older = await readFile(kekFile, 'utf8');
  await old.rotate(hour);
  // First every replica is given the new one behind the old, then before it, then the old one goes.
  const newer = `${randomBytes(32).toString('hex')}\n`;
  await appendFile(kekFile, newer);
  expect(await accepts(await replica(), token)).toBe(true);
  await writeFile(kekFile, newer + older);
  expect(await accepts(await replica(), token)).toBe(true);
  await writeFile(kekFile, newer);
  expect(await accepts(await replica(), token)).toBe(true);
});

describe('a rotation at one door', () => {
  let doors: Door[];

  afterEach(async () => {
    await Promise.all(doors.map((door) => door.close()));
  });

  /** A door with a memory of its own. */
  async function open(bus?: BusDriver): Promise<Door> {
    const issuer = await TokenIssuer.fromKey(newSigningKey(), { clock });
    const revoked = new RevokedTokens(clock);
    const verifier = new TokenVerifier({ issuers: [issuer.trusted()], revoked, clock });
    const identity = { issuer, verifier, revoked, token: unused, bearer: unused };
    const env = { GLACIS_GATEWAY_REVOCATION_POLL: bus ? '1h' : '20ms' };
    return openDoor({ databaseUrl: database.url, clock, identity, bus, env });
  }

  const unused = (): never => {
    throw new Error('not asked for in this test');
  };

  test.each(['a broadcast', 'a look at the database'])('reaches the other by %s', async (how) => {
    const bus = how === 'a broadcast' ? new InProcessBus({ logger }) : undefined;
    doors = [await open(bus), await open(bus)];
    const [one, two] = doors;
    const roles = ['platform-admin'];
    const { token } = await one!.app.get(TokenIssuer).issue({ ...request, roles });
    expect((await two!.call('/tokens', { bearer: token })).status).toBe(200);
    const rotated = await one!.call('/tokens/keys/rotation', {
      method: 'POST',
      bearer: token,
      body: { overlap: '0' },
    });
    expect(rotated.status).toBe(200);
    expect((await one!.call('/tokens', { bearer: token })).status).toBe(401);
    await waitFor(async () => (await two!.call('/tokens', { bearer: token })).status === 401, {
      what: 'the other door to refuse the token',
    });
  });
});
