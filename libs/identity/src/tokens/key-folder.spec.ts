import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '@glacis/http';
import { ManualClock } from '@glacis/runtime';
import { RevokedTokens } from './revoked-tokens.js';
import { TokenIssuer } from './token-issuer.js';
import { TokenVerifier } from './token-verifier.js';

const hour = 3_600_000;
const request = { subject: 'ops', tenant: 'acme', roles: ['admin'], ttlMs: hour };

let folder: string;
let clock: ManualClock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'glacis-keys-'));
  clock = new ManualClock(new Date(Math.floor(Date.now() / 1000) * 1000));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process of its own on the shared folder, as far as keys go. */
async function replica() {
  const issuer = await TokenIssuer.open(folder, { clock });
  const revoked = new RevokedTokens(clock);
  const verifier = new TokenVerifier({ issuers: [issuer.trusted()], revoked, clock });
  return { issuer, verifier };
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

test('after a rotation the new key signs, and tokens of the old one are good until they expire', async () => {
  const one = await replica();
  const before = await text(one);
  const [oldKey] = await kids(one);
  const newKey = await one.issuer.rotate(hour);
  const after = await text(one);
  expect(await kids(one)).toEqual([newKey, oldKey]);
  expect([await accepts(one, before), await accepts(one, after)]).toEqual([true, true]);
  clock.advance(hour - 1);
  one.verifier.recheck();
  expect(await accepts(one, before)).toBe(true);
});

test('every replica signs with the new key and knows it at once', async () => {
  const [one, two] = [await replica(), await replica()];
  const before = await text(two);
  await two.issuer.rotate(hour);
  expect(await kids(one)).toEqual(await kids(two));
  const after = await text(one);
  for (const each of [one, two, await replica()]) {
    expect([await accepts(each, before), await accepts(each, after)]).toEqual([true, true]);
  }
});

test('without overlap all earlier tokens are refused, whichever key signed them', async () => {
  const [one, two] = [await replica(), await replica()];
  const first = await text(one);
  await one.issuer.rotate(hour);
  const second = await text(one);
  await one.issuer.rotate(0);
  const third = await text(two);
  expect(await readdir(folder)).toEqual(['signing-key.pem']);
  for (const each of [one, two]) {
    each.verifier.recheck();
    expect([await accepts(each, first), await accepts(each, second)]).toEqual([false, false]);
    expect(await accepts(each, third)).toBe(true);
  }
});

test('a retired key verifies no more once its overlap is over, though its tokens would live longer', async () => {
  const [one, two] = [await replica(), await replica()];
  const before = await text(one);
  const newKey = await one.issuer.rotate(60_000);
  expect(await accepts(two, before)).toBe(true);
  clock.advance(2 * 60_000);
  for (const each of [one, two]) {
    each.verifier.recheck();
    expect([await kids(each), await accepts(each, before)]).toEqual([[newKey], false]);
  }
});

test('a key that could not be recorded is not used', async () => {
  const one = await replica();
  const keys = await kids(one);
  const record = () => Promise.reject(new Error('no database'));
  await expect(one.issuer.rotate(hour, record)).rejects.toThrow('no database');
  expect(await kids(one)).toEqual(keys);
});

test('a retired key is kept without its private part, and goes with the next rotation after its time', async () => {
  const one = await replica();
  const [oldKey] = await kids(one);
  await one.issuer.rotate(hour);
  const kept = `retired-${oldKey}.json`;
  expect((await readdir(folder)).toSorted()).toEqual([kept, 'signing-key.pem'].toSorted());
  expect(Object.keys(JSON.parse(await readFile(join(folder, kept), 'utf8')).jwk)).not.toContain(
    'd',
  );
  clock.advance(hour + 60_001);
  await one.issuer.rotate(hour);
  expect(await readdir(folder)).not.toContain(kept);
});

test('a rotation that was cut off before its last step has changed nothing, and can be made again', async () => {
  const one = await replica();
  const before = await text(one);
  const [jwk] = (await one.issuer.jwks()).keys;
  const until = new Date(clock.now().getTime() + hour);
  await writeFile(join(folder, `retired-${jwk?.kid}.json`), JSON.stringify({ jwk, until }));
  const two = await replica();
  expect(await kids(two)).toEqual([jwk?.kid]);
  expect(await accepts(two, before)).toBe(true);
  const newKey = await two.issuer.rotate(hour);
  expect(await kids(one)).toEqual([newKey, jwk?.kid]);
});
