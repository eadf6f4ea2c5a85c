import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromPem } from '@glacis/pki';
import { FakeEst } from '../../test/fake-est.js';
import { TestCa } from '../../test/test-ca.js';
import { ServerRevocation } from '../link/server-revocation.js';
import { createLog } from '../log.js';
import { AutoRenewal, type AutoRenewalOptions } from './auto-renewal.js';
import { enrol } from './enrol.js';
import { hostAndPort } from './est-connection.js';
import { IdentityStore, type Identity } from './identity.js';

let ca: TestCa;
let est: FakeEst;
let folder: string;
let store: IdentityStore;
const servers: FakeEst[] = [];

beforeAll(async () => {
  ca = await TestCa.create();
});
beforeEach(async () => {
  est = await start(ca);
  folder = await mkdtemp(join(tmpdir(), 'glacis-enrol-'));
  store = new IdentityStore(folder);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(folder, { recursive: true });
});

async function start(own: TestCa, told?: TestCa): Promise<FakeEst> {
  const server = await FakeEst.start(own, told);
  servers.push(server);
  return server;
}

const hashOf = ({ rootPem }: TestCa): string =>
  createHash('sha256')
    .update(fromPem(rootPem)[0]?.der ?? '')
    .digest('hex');

const enrolled = (changes: Partial<Parameters<typeof enrol>[0]> = {}): Promise<Identity> =>
  enrol(
    { server: est.address, backend: 'b', token: 'secret', caSha256: hashOf(ca), ...changes },
    store,
  );

const serialOf = ({ cert }: Identity): string => new X509Certificate(cert).serialNumber;

describe('backends.md 14: enrol', () => {
  it('leaves roots, chain and key, readable by their owner alone', async () => {
    const identity = await enrolled();
    expect(await store.read()).toEqual(identity);
    expect(identity.ca).toBe(ca.rootPem);
    expect(fromPem(identity.cert)).toHaveLength(2);
    expect(new X509Certificate(identity.cert).checkPrivateKey(createPrivateKey(identity.key))).toBe(
      true,
    );
    for (const [name, text] of [
      ['ca.pem', identity.ca],
      ['cert.pem', identity.cert],
      ['key.pem', identity.key],
    ] as const) {
      expect(await readFile(join(folder, name), 'utf8')).toBe(text);
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    }
    expect(est.asked[0]?.authorization).toBe(`Basic ${Buffer.from('b:secret').toString('base64')}`);
    expect(await readdir(folder)).not.toContain('enrol-key.pem');
  });

  it('asks with the same key again, after a refusal and after a success', async () => {
    est.refusals.push({ status: 503, code: 'ca-unavailable' });
    await expect(enrolled()).rejects.toMatchObject({ name: 'TryAgainError' });
    await enrolled();
    await enrolled();
    const keys = est.asked.map(({ csr }) => csr.spki.toString('hex'));
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
  });

  it('bug: another token, as is given after a compromise, was used with the old key', async () => {
    const old = await enrolled();
    const anew = await enrolled({ token: 'another' });
    expect(anew.key).not.toBe(old.key);
    expect(await store.read()).toEqual(anew);
    expect((await enrolled({ token: 'another' })).key).toBe(anew.key);
  });

  it.each([
    [401, 'enrolment-token-invalid', 'RefusedError'],
    [422, 'name-not-allowed', 'RefusedError'],
    [429, 'rate-limited', 'TryAgainError'],
    [500, 'internal', 'TryAgainError'],
  ])('tells %i %s as %s', async (status, code, name) => {
    est.refusals.push({ status, code });
    await expect(enrolled()).rejects.toMatchObject({ name, message: `${code}: no` });
    expect(await store.read()).toBeUndefined();
  });

  it('sends no token to a server without the pinned root, or one that only shows it', async () => {
    const other = await TestCa.create();
    await expect(enrolled({ caSha256: hashOf(other) })).rejects.toMatchObject({
      problem: 'ca-mismatch',
    });
    const impostor = await start(other, ca);
    await expect(enrolled({ server: impostor.address })).rejects.toMatchObject({
      problem: 'server-not-trusted',
    });
    expect([...est.asked, ...impostor.asked]).toEqual([]);
  });

  it('may be tried again while nobody listens', async () => {
    const { address } = est;
    await servers.pop()?.close();
    await expect(enrolled({ server: address })).rejects.toMatchObject({ name: 'TryAgainError' });
  });

  it.each([
    ['est.example', { host: 'est.example', port: 9012 }],
    ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
    ['[2001:db8::1]:9', { host: '2001:db8::1', port: 9 }],
    ['https://x', null],
    ['x:70000', null],
    ['', null],
  ])('dials %j', (text, expected) => {
    if (expected === null) expect(() => hostAndPort(text)).toThrow('malformed');
    else expect(hostAndPort(text)).toEqual(expected);
  });
});

interface Renewing {
  /** How long it slept each time, in seconds. */
  slept: number[];
  lines: { level: string; msg: string; reason?: string }[];
  used: number;
  ended: Promise<void>;
  stop(): void;
}

/** Runs the renewal with a clock that jumps over every sleep, until `until` sleeps have passed. */
function renewing(until: number, options: Partial<AutoRenewalOptions> = {}): Renewing {
  const stop = new AbortController();
  const lines: Renewing['lines'] = [];
  const log = createLog('info', { write: (line: string) => void lines.push(JSON.parse(line)) });
  const renewal: Renewing = {
    slept: [],
    lines,
    used: 0,
    ended: Promise.resolve(),
    stop: () => stop.abort(),
  };
  let aheadMs = 0;
  const auto = new AutoRenewal({
    store,
    revocation: new ServerRevocation(join(folder, 'crl'), log),
    newKey: false,
    use: async () => {
      renewal.used += 1;
      return true;
    },
    log,
    clock: { now: () => new Date(Date.now() + aheadMs) },
    random: () => 0.5,
    sleep: async (ms) => {
      renewal.slept.push(Math.round(ms / 1000));
      if (renewal.slept.length >= until) stop.abort();
      aheadMs += ms;
    },
    ...options,
  });
  renewal.ended = auto.run(stop.signal);
  return renewal;
}

describe('backends.md 14: renewal', () => {
  it('comes at two thirds of life, with the same key and the names of the certificate', async () => {
    const old = await enrolled();
    // The certificates of this CA live from a day ago to a day ahead: due after 8 hours.
    const renewal = renewing(9);
    await renewal.ended;
    expect(renewal.slept.at(-1)).toBe(3600);
    const next = (await store.read()) as Identity;
    expect(renewal.slept.slice(0, 7)).toEqual(Array<number>(7).fill(3600));
    expect(renewal.lines).toMatchObject([{ level: 'INFO', msg: 'certificate renewed' }]);
    expect(renewal.used).toBe(1);
    expect(serialOf(next)).not.toBe(serialOf(old));
    expect(next.key).toBe(old.key);
    expect(est.asked.at(-1)).toMatchObject({
      path: '/certs/renew',
      client: serialOf(old),
      csr: { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] },
    });
  });

  it('takes a new key on request', async () => {
    const old = await enrolled();
    await renewing(9, { newKey: true }).ended;
    const next = (await store.read()) as Identity;
    expect(next.key).not.toBe(old.key);
    expect(new X509Certificate(next.cert).checkPrivateKey(createPrivateKey(next.key))).toBe(true);
  });

  it('tries again after a minute, doubling to an hour', async () => {
    const old = await enrolled();
    est.refusals.push(
      ...Array.from({ length: 8 }, () => ({ status: 503, code: 'ca-unavailable' })),
    );
    const renewal = renewing(8 + 8);
    await renewal.ended;
    expect(renewal.slept.slice(8)).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600]);
    expect(await store.read()).toEqual(old);
    expect(renewal.lines.every(({ level }) => level === 'WARN')).toBe(true);
  });

  it.each([
    [403, 'forbidden'],
    [422, 'name-not-allowed'],
  ])('stops at %i with an ERROR line', async (status, code) => {
    await enrolled();
    est.refusals.push({ status, code });
    const renewal = renewing(20);
    await renewal.ended;
    expect(renewal.slept).toHaveLength(8);
    expect(renewal.lines).toMatchObject([{ level: 'ERROR', reason: `${code}: no` }]);
  });
});
