import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromPem, readCertificate } from '@glacis/pki';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { purge } from '../src/certificates/purge.js';
import { Suite, type Reply } from './suite.js';

describe('CRLs', () => {
  afterAll(() => Suite.stopAll());

  /** What openssl reads in a CRL. */
  async function shown(der: Buffer): Promise<{ text: string; number: bigint; serials: string[] }> {
    const read = await openssl(['crl', '-inform', 'DER', '-noout', '-text'], der);
    expect(read.code).toBe(0);
    const text = read.stdout.toString();
    const number = /X509v3 CRL Number: \n\s+(?:0x)?([0-9A-Fa-f]+)/.exec(text)?.[1] ?? '0';
    const serials = [...text.matchAll(/Serial Number: ([0-9A-F]+)/g)].map((match) =>
      BigInt(`0x${match[1]}`).toString(),
    );
    const isHex = text.includes(`0x${number}`) || /[A-F]/.test(number);
    return { text, number: BigInt(isHex ? `0x${number}` : number), serials };
  }

  /** Where the certificate points for its CRL. */
  async function pointer(suite: Suite, serial: string, token: string): Promise<string> {
    const view = (await suite.send('GET', `/certs/${serial}`, { token })).json();
    const [leaf] = fromPem(view.certificate);
    const read = await openssl(
      ['x509', '-inform', 'DER', '-noout', '-ext', 'crlDistributionPoints'],
      leaf!.der,
    );
    return /URI:(\S+)/.exec(read.stdout.toString())?.[1] ?? '';
  }

  const pathOf = (url: string): string => new URL(url).pathname;

  async function verify(
    suite: Suite,
    serial: string,
    token: string,
    crls: Buffer,
    args = ['-crl_check'],
  ): Promise<string> {
    const folder = await temporaryFolder();
    const files = await suite.files(serial, token);
    const at = (name: string) => join(folder, name);
    await writeFile(at('cert.pem'), files.certificate);
    await writeFile(at('ca.pem'), files.ca);
    await writeFile(at('crl.pem'), crls);
    const attime = ['-attime', String(Math.floor(suite.clock.now().getTime() / 1000))];
    const given = ['-CRLfile', at('crl.pem'), '-CAfile', at('ca.pem'), at('cert.pem')];
    const result = await openssl(['verify', ...attime, ...args, '-x509_strict', ...given]);
    return result.stdout.toString() + result.stderr;
  }

  const pemOf = async (der: Buffer): Promise<Buffer> =>
    (await openssl(['crl', '-inform', 'DER', '-outform', 'PEM'], der)).stdout;

  it('certificates.md 16.7: openssl checks full and shard CRLs, DER and PEM, with the exact serials', async () => {
    const suite = await Suite.start();
    const issued = [];
    for (let i = 0; i < 12; i++) issued.push(await suite.issued());
    const [good, bad] = [issued[0]!, issued[1]!];
    const revoked = issued.slice(1, 9);
    await Promise.all(
      revoked.map(({ serial, token }, i) =>
        suite.send('PATCH', `/certs/${serial}/revoke`, {
          token,
          body: { reason: [0, 1, 4][i % 3] },
        }),
      ),
    );
    const der = await suite.send('GET', '/certs/crl');
    expect(der.headers).toMatchObject({
      'content-type': 'application/pkix-crl',
      'cache-control': 'public, max-age=60',
      etag: expect.any(String),
      'last-modified': expect.any(String),
    });
    const full = await shown(der.bytes);
    expect(full.serials.toSorted()).toEqual(revoked.map((each) => each.serial).toSorted());
    expect(full.text).not.toContain('Issuing Distribution Point');
    expect(full.text.match(/Key Compromise/g)).toHaveLength(3);
    expect(full.text).not.toContain('Unspecified');

    const pem = await suite.send('GET', '/certs/crl?format=pem');
    expect(pem.headers['content-type']).toBe('application/x-pem-file');
    expect(pem.text).toMatch(/^-----BEGIN X509 CRL-----\n/);
    expect(fromPem(pem.text)[0]!.der.equals(der.bytes)).toBe(true);
    const json = await suite.send('GET', '/certs/crl', { headers: { accept: 'application/json' } });
    expect(Buffer.from(json.json().crl, 'base64').toString()).toBe(pem.text);

    expect(await verify(suite, good.serial, good.token, pem.bytes)).toContain('OK');
    expect(await verify(suite, bad.serial, bad.token, pem.bytes)).toContain('certificate revoked');
    const all = await suite.send('GET', '/certs/crl?issuer=all');
    expect(all.text.match(/BEGIN X509 CRL/g)).toHaveLength(2);
    expect(await verify(suite, good.serial, good.token, all.bytes, ['-crl_check_all'])).toContain(
      'OK',
    );

    const byShard = new Map<string, string[]>();
    for (const { serial, token } of issued) {
      const url = await pointer(suite, serial, token);
      byShard.set(url, [...(byShard.get(url) ?? []), serial]);
    }
    for (const [url, serials] of byShard) {
      const reply = await suite.send('GET', pathOf(url));
      expect(reply.headers['content-type']).toBe('application/pkix-crl');
      const shard = await shown(reply.bytes);
      expect(shard.text).toContain('Issuing Distribution Point: critical');
      expect(shard.text).toContain(`URI:${url}`);
      expect(shard.text).toContain('Only User Certificates');
      const expected = revoked.map((each) => each.serial).filter((each) => serials.includes(each));
      expect(shard.serials.toSorted()).toEqual(expected.toSorted());
    }
    const extended = ['-crl_check', '-extended_crl'];
    const shardOf = async ({ serial, token }: { serial: string; token: string }) =>
      pemOf((await suite.send('GET', pathOf(await pointer(suite, serial, token)))).bytes);
    expect(await verify(suite, good.serial, good.token, await shardOf(good), extended)).toContain(
      'OK',
    );
    expect(await verify(suite, bad.serial, bad.token, await shardOf(bad), extended)).toContain(
      'certificate revoked',
    );
    await suite.stop();
  });

  it('certificates.md 16.7: an empty shard, and the root CRL', async () => {
    const suite = await Suite.start();
    const { serial, token } = await suite.issued();
    const url = await pointer(suite, serial, token);
    const empty = await shown((await suite.send('GET', pathOf(url))).bytes);
    expect(empty.text).toContain('No Revoked Certificates.');
    const ca = fromPem((await suite.send('GET', '/certs/ca')).text);
    const intermediate = readCertificate(ca[1]!.der);
    const read = await openssl(
      ['x509', '-inform', 'DER', '-noout', '-ext', 'crlDistributionPoints'],
      ca[1]!.der,
    );
    const rootUrl = /URI:(\S+)/.exec(read.stdout.toString())?.[1] ?? '';
    expect(rootUrl).toMatch(/\/root\.crl$/);
    const root = await suite.send('GET', pathOf(rootUrl));
    const rootText = (await shown(root.bytes)).text;
    expect(rootText).not.toContain('Issuing Distribution Point');
    expect(intermediate.pathLength).toBe(0);
    for (const path of ['99999.crl', 'full.crl', 'x.crl', '0', '-1.crl', '00.crl']) {
      const missing = await suite.send('GET', pathOf(url).replace(/[^/]+$/, path));
      expect([path, missing.status]).toEqual([path, 404]);
    }
    expect((await suite.send('GET', '/certs/crl?issuer=nobody')).status).toBe(404);
    expect((await suite.send('GET', '/certs/crl?issuer=all&format=der')).status).toBe(400);
    await suite.stop();
  });

  it('certificates.md 16.7: two replicas reading after one change give equal bytes, numbers rise', async () => {
    const suite = await Suite.start();
    const other = await suite.replica();
    const { serial, token } = await suite.issued();
    const before = await suite.send('GET', '/certs/crl');
    await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    const replies: Reply[] = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 ? suite : other).send('GET', '/certs/crl')),
    );
    for (const reply of replies) expect(reply.bytes.equals(replies[0]!.bytes)).toBe(true);
    const [first, second] = [await shown(before.bytes), await shown(replies[0]!.bytes)];
    expect(second.number).toBeGreaterThan(first.number);
    expect(second.serials).toEqual([serial]);
    expect(second.number).toBeGreaterThanOrEqual(BigInt(suite.clock.now().getTime()));
    await suite.stop();
    await other.stop();
  });

  it('certificates.md 16.7: no revocation is missed while CRLs are built', async () => {
    const suite = await Suite.start();
    const certificates = await Promise.all(Array.from({ length: 40 }, () => suite.issued()));
    await Promise.all(
      certificates.map(async ({ serial, token }) => {
        await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
        const crl = await suite.send('GET', '/certs/crl');
        expect((await shown(crl.bytes)).serials).toContain(serial);
      }),
    );
    await suite.stop();
  });

  it('certificates.md 16.7: an older database restored gives a higher number', async () => {
    const suite = await Suite.start();
    const last = await shown((await suite.send('GET', '/certs/crl')).bytes);
    await suite.store.query(`UPDATE crl_shards SET number = 0, der = NULL, built_at = NULL`);
    suite.clock.advance(1_000);
    const next = await shown((await suite.send('GET', '/certs/crl')).bytes);
    expect(next.number).toBeGreaterThan(last.number);
    await suite.store.query(`UPDATE crl_shards SET number = $1, built_at = NULL`, [
      suite.clock.now().getTime() + 5_000,
    ]);
    const ahead = await shown((await suite.send('GET', '/certs/crl')).bytes);
    expect(ahead.number).toBe(BigInt(suite.clock.now().getTime() + 5_001));
    await suite.stop();
  });

  it('certificates.md 16.7: an entry stands once more after the end of its certificate', async () => {
    const suite = await Suite.start();
    const brief = await suite.issued({ ttl: '10m' });
    const long = await suite.issued();
    const revoke = ({ serial, token }: { serial: string; token: string }) =>
      suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    await revoke(brief);
    const serials = async () =>
      (await shown((await suite.send('GET', '/certs/crl')).bytes)).serials;
    expect(await serials()).toEqual([brief.serial]);
    suite.clock.advance(601_000);
    await revoke(long);
    expect((await serials()).toSorted()).toEqual([brief.serial, long.serial].toSorted());
    suite.clock.advance(12 * 3_600_000);
    expect(await serials()).toEqual([long.serial]);
    await suite.stop();
  });

  it('an entry stays until a CRL was made after the end, however long nobody asks for one', async () => {
    const suite = await Suite.start();
    const day = 24 * 3_600_000;
    const { serial, token } = await suite.issued({ ttl: '10m' });
    const shard = pathOf(await pointer(suite, serial, token));
    await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    suite.clock.advance(400 * day);
    await purge(suite.store, suite.clock.now(), 365 * day);
    for (const path of ['/certs/crl', shard]) {
      expect((await shown((await suite.send('GET', path)).bytes)).serials).toEqual([serial]);
      await purge(suite.store, suite.clock.now(), 365 * day);
    }
    expect(await suite.store.query('SELECT 1 FROM crl_entries')).toEqual([]);
    await suite.stop();
  });

  it('an expired certificate is revoked without an entry', async () => {
    const suite = await Suite.start();
    const { serial, token } = await suite.issued({ ttl: '1m' });
    suite.clock.advance(61_000);
    const revoked = await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    expect(revoked.status).toBe(200);
    expect((await shown((await suite.send('GET', '/certs/crl')).bytes)).serials).toEqual([]);
    expect((await suite.send('GET', `/certs/${serial}`, { token })).json().status).toBe('revoked');
    await suite.stop();
  });

  it('is signed anew after 12 h, and 304 for who has it', async () => {
    const suite = await Suite.start();
    const first = await suite.send('GET', '/certs/crl');
    const headers = { 'if-none-match': String(first.headers.etag) };
    const same = await suite.send('GET', '/certs/crl', { headers });
    expect([same.status, same.bytes.length]).toEqual([304, 0]);
    suite.clock.advance(12 * 3_600_000 - 1);
    expect((await suite.send('GET', '/certs/crl', { headers })).status).toBe(304);
    suite.clock.advance(1);
    const renewed = await suite.send('GET', '/certs/crl', { headers });
    expect(renewed.status).toBe(200);
    expect((await shown(renewed.bytes)).number).toBeGreaterThan((await shown(first.bytes)).number);
    const head = await suite.send('HEAD', '/certs/crl');
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    await suite.stop();
  });

  it('a date does not hide a revocation of the same second', async () => {
    const suite = await Suite.start();
    const [a, b] = [await suite.issued(), await suite.issued()];
    await suite.send('PATCH', `/certs/${a.serial}/revoke`, { token: a.token });
    const first = await suite.send('GET', '/certs/crl');
    await suite.send('PATCH', `/certs/${b.serial}/revoke`, { token: b.token });
    const headers = { 'if-modified-since': String(first.headers['last-modified']) };
    const second = await suite.send('GET', '/certs/crl', { headers });
    expect(second.status).toBe(200);
    expect((await shown(second.bytes)).serials).toContain(b.serial);
    await suite.stop();
  });

  it('certificates.md 16.7: a changed STATUS_URL opens new shards, older ones keep their URL', async () => {
    const suite = await Suite.start();
    const old = await suite.issued();
    const oldUrl = await pointer(suite, old.serial, old.token);
    const moved = await suite.replica({ STATUS_URL: 'http://moved.test' });
    const fresh = await moved.issued();
    const freshUrl = await pointer(moved, fresh.serial, fresh.token);
    expect(freshUrl).toMatch(/^http:\/\/moved\.test\//);
    expect(Number(/(\d+)\.crl$/.exec(freshUrl)?.[1])).toBeGreaterThanOrEqual(16);
    await suite.send('PATCH', `/certs/${old.serial}/revoke`, { token: old.token });
    const shard = await shown((await moved.send('GET', pathOf(oldUrl))).bytes);
    expect(shard.serials).toEqual([old.serial]);
    expect(shard.text).toContain(`URI:${oldUrl}`);
    await suite.stop();
    await moved.stop();
  });

  it('certificates.md 16.7: without a STATUS_URL certificates have no pointers, the full CRL stays', async () => {
    const suite = await Suite.start({ env: { STATUS_URL: '' } });
    const { serial, token } = await suite.issued();
    expect(await pointer(suite, serial, token)).toBe('');
    await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    const crl = await shown((await suite.send('GET', '/certs/crl')).bytes);
    expect(crl.serials).toEqual([serial]);
    await suite.stop();
  });

  it('a set of shards that is full is closed and the next opened', async () => {
    const suite = await Suite.start({ env: { CRL_SHARD_SIZE: '2', CRL_OPEN_SHARDS: '2' } });
    for (let i = 0; i < 5; i++) await suite.issued();
    const next = await suite.replica({ CRL_SHARD_SIZE: '2', CRL_OPEN_SHARDS: '2' });
    const { serial, token } = await next.issued();
    expect(await pointer(next, serial, token)).toMatch(/\/[23]\.crl$/);
    await suite.stop();
    await next.stop();
  });

  it('over the rate the answer is 429', async () => {
    const suite = await Suite.start({ env: { CRL_RATE: '2/s' } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await suite.send('GET', '/certs/crl')).status);
    expect(statuses).toEqual([200, 200, 429]);
    const limited = await suite.send('GET', '/certs/ca');
    expect(limited.headers['retry-after']).toBe('1');
    const strangers = [];
    for (let i = 0; i < 3; i++) {
      strangers.push((await suite.send('GET', `/certs/crl/stranger-${i}/0.crl`)).status);
    }
    expect(strangers).toEqual([404, 404, 429]);
    await suite.stop();
  });
});
