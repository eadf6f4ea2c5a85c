import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { waitFor } from '@glacis/runtime';
import { makeCsr } from './csr.js';
import { Suite } from './suite.js';

const hour = 3_600_000;

describe('downloads', () => {
  let suite: Suite;
  let replica: Suite;

  beforeAll(async () => {
    suite = await Suite.start();
    replica = await suite.replica();
  });
  afterAll(() => Suite.stopAll());

  const tokenFor = async (serial: string, token: string, from = suite): Promise<string> =>
    (await from.send('GET', `/certs/${serial}/download/token`, { token })).json().token;

  it('certificates.md 16.2: a token works once under parallel requests on two replicas', async () => {
    const { serial, token } = await suite.issued();
    for (let round = 0; round < 3; round++) {
      const download = await tokenFor(serial, token);
      const replies = await Promise.all(
        Array.from({ length: 16 }, (_, i) =>
          (i % 2 ? suite : replica).send('GET', `/certs/${serial}/download?token=${download}`),
        ),
      );
      const statuses = replies.map((reply) => reply.status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.filter((status) => status === 401)).toHaveLength(15);
    }
  });

  it('PKCS#12 by Accept holds key, chain and roots; a bad password costs no token', async () => {
    const { serial, token } = await suite.issued({ key_algorithm: 'RSA-2048' });
    const path = `/certs/${serial}/download?token=${await tokenFor(serial, token)}`;
    const get = (password?: string) =>
      suite.send('GET', path, {
        headers: {
          accept: 'application/x-pkcs12',
          ...(password !== undefined && { 'x-key-store-password': password }),
        },
      });
    for (const bad of [undefined, 'seven77', 'with space', 'x'.repeat(129)]) {
      const refused = await get(bad);
      expect([refused.status, refused.json().field]).toEqual([400, 'X-Key-Store-Password']);
      if (bad !== undefined) expect(refused.text).not.toContain(bad);
    }
    const reply = await get('correct-horse');
    expect(reply.headers).toMatchObject({
      'content-type': 'application/x-pkcs12',
      'content-disposition': `attachment; filename="${serial}.p12"`,
      'cache-control': 'no-store',
    });
    const file = join(await temporaryFolder(), 'store.p12');
    await writeFile(file, reply.bytes);
    const shown = await openssl(['pkcs12', '-in', file, '-nodes', '-passin', 'pass:correct-horse']);
    const { certificate, private_key: key } = await suite.files(serial, token);
    const text = shown.stdout.toString();
    expect(text).toContain(`friendlyName: ${serial}`);
    for (const pem of certificate.split(/(?<=END CERTIFICATE-----\n)/)) expect(text).toContain(pem);
    const [pem] = /-----BEGIN PRIVATE KEY[\s\S]*END PRIVATE KEY-----/.exec(text) ?? [''];
    expect(createPrivateKey(pem).equals(createPrivateKey(key ?? ''))).toBe(true);
  });

  it('certificates.md 16.2: a token ends at 300 s', async () => {
    const { serial, token } = await suite.issued();
    const path = `/certs/${serial}/download?token=`;
    const [early, late] = [await tokenFor(serial, token), await tokenFor(serial, token)];
    expect(decodeJwt(early).exp).toBe(Math.floor(suite.clock.now().getTime() / 1000) + 300);
    suite.clock.advance(298_000);
    expect((await suite.send('GET', path + early)).status).toBe(200);
    suite.clock.advance(2_000);
    const refused = await suite.send('GET', path + late);
    expect([refused.status, refused.json().code]).toEqual([401, 'download-token-invalid']);
  });

  it('certificates.md 16.2: a token signed with the serial as key is refused', async () => {
    const { serial, token } = await suite.issued();
    const real = await tokenFor(serial, token);
    const { kid } = decodeProtectedHeader(real);
    const forge = (header: { alg: string; kid?: string }, claims: object) =>
      new SignJWT({ ...claims })
        .setProtectedHeader(header)
        .sign(new TextEncoder().encode(serial.padEnd(32, '0').slice(0, 39)));
    const forgeries = [
      await forge({ alg: 'HS256', kid }, decodeJwt(real)),
      await forge({ alg: 'HS256' }, decodeJwt(real)),
      await forge({ alg: 'HS256', kid: 'other' }, { ...decodeJwt(real), jti: 'x' }),
      await forge({ alg: 'HS384', kid }, decodeJwt(real)),
      `${Buffer.from(`{"alg":"none","kid":"${kid}"}`).toString('base64url')}.${real.split('.')[1]}.`,
      real.slice(0, -2),
      'x',
      '..',
      '%00',
      'a.b.c',
    ];
    const details = new Set<string>();
    for (const forgery of forgeries) {
      const reply = await suite.send('GET', `/certs/${serial}/download?token=${forgery}`);
      expect([forgery, reply.status]).toEqual([forgery, 401]);
      details.add(reply.json().detail);
    }
    expect(details.size).toBe(1);
    expect(
      (await suite.send('GET', `/certs/${serial}/download?downloadToken=${real}`)).status,
    ).toBe(200);
  });

  it("certificates.md 16.2: another serial's token is refused, and used up by nobody", async () => {
    const [one, two] = [await suite.issued(), await suite.issued()];
    const download = await tokenFor(one.serial, one.token);
    const path = (serial: string) => `/certs/${serial}/download?token=${download}`;
    expect((await suite.send('GET', path(two.serial))).status).toBe(401);
    expect((await suite.send('GET', path('77'))).status).toBe(401);
    const head = await suite.send('HEAD', path(one.serial));
    expect(head.status).toBe(405);
    expect((await suite.send('GET', path(one.serial))).status).toBe(200);
  });

  it('certificates.md 16.2: the zip holds ca.pem, cert.pem, key.pem in this order', async () => {
    const { serial, token } = await suite.issued();
    const download = await tokenFor(serial, token);
    const reply = await suite.send('GET', `/certs/${serial}/download?token=${download}`, {
      headers: { accept: '*/*' },
    });
    expect(reply.headers).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition': `attachment; filename="${serial}.zip"`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
    const files = unzipSync(reply.bytes);
    expect(Object.keys(files)).toEqual(['ca.pem', 'cert.pem', 'key.pem']);
    const json = await suite.files(serial, token);
    expect(Buffer.from(files['cert.pem']!).toString()).toBe(json.certificate);
    expect(Buffer.from(files['key.pem']!).toString()).toBe(json.private_key);
    expect(Buffer.from(files['ca.pem']!).toString()).toBe(json.ca);
  });

  it.each(['ECDSA-P256', 'RSA-2048', 'RSA-4096', 'Ed25519'])(
    'certificates.md 16.2: key matches certificate and openssl verifies the chain, %s',
    async (algorithm) => {
      const { serial, token } = await suite.issued({
        key_algorithm: algorithm,
        ip_addresses: ['192.0.2.1', '2001:DB8::1'],
        dns_names: ['Host.example.org'],
        options: { organization: ['Acme'], country: ['DE'], locality: ['Köln'] },
      });
      const files = await suite.files(serial, token);
      const label = algorithm.startsWith('RSA') ? 'RSA PRIVATE KEY' : 'PRIVATE KEY';
      expect(files.private_key).toMatch(new RegExp(`^-----BEGIN ${label}-----\n`));
      const leaf = new X509Certificate(files.certificate);
      const key = createPrivateKey(files.private_key ?? '');
      expect(leaf.checkPrivateKey(key)).toBe(true);
      expect(leaf.subjectAltName).toContain('DNS:host.example.org');
      expect(leaf.subjectAltName).toContain('IP Address:2001:DB8:0:0:0:0:0:1');
      expect(createPublicKey(key).asymmetricKeyType).toBe(leaf.publicKey.asymmetricKeyType);
      const folder = await temporaryFolder();
      await writeFile(join(folder, 'ca.pem'), files.ca);
      await writeFile(join(folder, 'cert.pem'), files.certificate);
      await writeFile(join(folder, 'key.pem'), files.private_key ?? '');
      const at = (name: string) => join(folder, name);
      const attime = ['-attime', String(Math.floor(suite.clock.now().getTime() / 1000))];
      const plain = await openssl(['verify', ...attime, '-CAfile', at('ca.pem'), at('cert.pem')]);
      expect(plain.stdout.toString()).toContain('OK');
      const chain = ['-CAfile', at('ca.pem'), '-untrusted', at('cert.pem'), at('cert.pem')];
      const checks = ['-x509_strict', '-purpose', 'sslclient'];
      const strict = await openssl(['verify', ...attime, ...checks, ...chain]);
      expect(strict.stdout.toString() + strict.stderr).toContain('OK');
      const loaded = await openssl(['pkey', '-in', at('key.pem'), '-noout', '-check']);
      expect(loaded.code).toBe(0);
    },
  );

  it('certificates.md 16.2: the renewed serial has the same key, the old one its files and a link', async () => {
    const { serial, token } = await suite.issued();
    const before = await suite.files(serial, token);
    const renewed = await suite.send('PATCH', `/certs/${serial}/renew`, { token });
    const successor = String(renewed.headers.location).slice('/certs/'.length);
    expect((await suite.files(serial, token)).certificate).toBe(before.certificate);
    expect((await suite.files(successor, token)).private_key).toBe(before.private_key);
    const download = await tokenFor(serial, token);
    const reply = await suite.send('GET', `/certs/${serial}/download?token=${download}`);
    expect(reply.headers.link).toBe(`</certs/${successor}>; rel="successor-version"`);
  });

  it('a certificate for a CSR has no key to download', async () => {
    const token = await suite.token();
    const backend = suite.backends.register('tenant-a');
    const { csr } = await makeCsr();
    const issued = await suite.send('POST', `/certs/csrs/${backend}`, { token, body: { csr } });
    expect(issued.status).toBe(201);
    const { serial_number: serial, certificate } = issued.json();
    const files = await suite.files(serial, token);
    expect(files.private_key).toBeNull();
    expect(files.certificate).toBe(certificate);
    const download = await tokenFor(serial, token);
    const zip = await suite.send('GET', `/certs/${serial}/download?token=${download}`);
    expect(Object.keys(unzipSync(zip.bytes))).toEqual(['ca.pem', 'cert.pem']);
  });

  it('certificates.md 16.2: the key is gone after 24 h by default, for a renewed serial too', async () => {
    const { serial, token } = await suite.issued();
    const renewed = await suite.send('PATCH', `/certs/${serial}/renew`, { token });
    const successor = String(renewed.headers.location).slice('/certs/'.length);
    suite.clock.advance(24 * hour - 1_000);
    expect((await suite.files(successor, token)).private_key).not.toBeNull();
    suite.clock.advance(1_000);
    for (const each of [serial, successor]) {
      expect((await suite.files(each, token)).private_key).toBeNull();
      const view = (await suite.send('GET', `/certs/${each}`, { token })).json();
      expect(view.has_key).toBe(false);
    }
  });

  it('certificates.md 16.2: until_downloaded keeps the key for 10 minutes after the first download', async () => {
    const other = await suite.replica({ KEY_RETENTION: 'until_downloaded' });
    const fetched = await other.issued();
    const unfetched = await other.issued();
    expect((await other.files(fetched.serial, fetched.token)).private_key).not.toBeNull();
    const planned = await waitFor(async () => {
      const rows = await other.store.query<{ erase_at: Date }>(
        `SELECT k.erase_at FROM private_keys k JOIN certificates c ON c.key_id = k.id
         WHERE c.serial = $1`,
        [fetched.serial],
      );
      const at = rows[0]?.erase_at;
      return at !== undefined && at.getTime() < other.clock.now().getTime() + hour ? at : false;
    });
    expect(planned.getTime() - other.clock.now().getTime()).toBe(600_000);
    other.clock.advance(599_000);
    expect((await other.files(fetched.serial, fetched.token)).private_key).not.toBeNull();
    other.clock.advance(1_000);
    expect((await other.files(fetched.serial, fetched.token)).private_key).toBeNull();
    other.clock.advance(23 * hour);
    expect((await other.files(unfetched.serial, unfetched.token)).private_key).not.toBeNull();
    other.clock.advance(hour);
    expect((await other.files(unfetched.serial, unfetched.token)).private_key).toBeNull();
    await other.stop();
  });

  it('certificates.md 16.2: until_expiry keeps the key to the end of the newest certificate', async () => {
    const other = await suite.replica({ KEY_RETENTION: 'until_expiry' });
    const capped = await other.issued({ ttl: '100000h' });
    const { serial, token } = await other.issued({ ttl: '100h' });
    other.clock.advance(90 * hour);
    const renewed = await other.send('PATCH', `/certs/${serial}/renew`, { token });
    const successor = String(renewed.headers.location).slice('/certs/'.length);
    other.clock.advance(99 * hour);
    expect((await other.files(successor, token)).private_key).not.toBeNull();
    other.clock.advance(hour);
    expect((await other.files(successor, token)).private_key).toBeNull();
    other.clock.advance((8760 - 190) * hour);
    expect((await other.files(capped.serial, capped.token)).private_key).toBeNull();
    await other.stop();
  });

  it('erases the stored bytes of a key whose time has come', async () => {
    const { serial } = await suite.issued();
    const key = async () =>
      (
        await suite.store.query(
          `SELECT k.* FROM private_keys k JOIN certificates c ON c.key_id = k.id
           WHERE c.serial = $1`,
          [serial],
        )
      )[0];
    expect(await key()).toMatchObject({ erased_at: null, ciphertext: expect.any(Buffer) });
    suite.clock.advance(24 * hour);
    const next = await suite.replica();
    const erased = await waitFor(async () => {
      const row = await key();
      return row?.erased_at === null ? false : row;
    });
    expect(erased).toMatchObject({ wrapped_dek: null, ciphertext: null, iv: null, tag: null });
    await next.stop();
  });

  it('replaces the token key daily, and the replaced one counts for 10 minutes more', async () => {
    const first = await Suite.start({ env: { TOKEN_TTL: '10m' } });
    const { serial, token } = await first.issued();
    first.clock.advance(24 * hour - 1_000);
    const inTime = await tokenFor(serial, token, first);
    const tooLate = await tokenFor(serial, token, first);
    first.clock.advance(1_000);
    const next = await first.replica({ TOKEN_TTL: '10m' });
    const fresh = await tokenFor(serial, token, next);
    expect(decodeProtectedHeader(fresh).kid).not.toBe(decodeProtectedHeader(inTime).kid);
    const path = `/certs/${serial}/download?token=`;
    // The older replica has not met the new key yet.
    expect((await first.send('GET', path + fresh)).status).toBe(200);
    first.clock.advance(590_000);
    expect((await first.send('GET', path + inTime)).status).toBe(200);
    first.clock.advance(10_000);
    expect((await next.send('GET', path + tooLate)).status).toBe(401);
    expect((await first.send('GET', path + tooLate)).status).toBe(401);
    await next.stop();
    await first.stop();
  });

  it('certificates.md 10.2: the CA by a token of its own', async () => {
    const token = await suite.token();
    const { token: download } = (await suite.send('GET', '/certs/get-ca/token', { token })).json();
    const path = `/certs/download-ca?token=${download}`;
    const reply = await suite.send('GET', path);
    const files = unzipSync(reply.bytes);
    expect(Object.keys(files)).toEqual(['ca.crt']);
    expect(Buffer.from(files['ca.crt']!).toString()).toBe(
      (await suite.send('GET', '/certs/ca')).text,
    );
    expect((await suite.send('GET', path)).status).toBe(401);
  });
});
