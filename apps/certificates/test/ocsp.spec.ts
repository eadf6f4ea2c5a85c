import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { certIdDer, certIdHashes, fromPem, readCertificate } from '@glacis/pki';
import { openssl, temporaryFolder } from '@glacis/testbed';
import type { Services } from '../src/compose.js';
import { SERVICES } from '../src/tokens.js';
import { Suite, type Reply } from './suite.js';

interface Issued {
  serial: string;
  token: string;
  folder: string;
}

describe('OCSP', () => {
  let suite: Suite;

  beforeAll(async () => {
    suite = await Suite.start();
  });
  afterAll(() => Suite.stopAll());

  const url = () => `http://127.0.0.1:${suite.port}/certs/ocsp`;

  /** A certificate with its files in a folder: leaf, issuer, roots. */
  async function issue(from = suite, body: unknown = {}): Promise<Issued> {
    const { serial, token } = await from.issued(body);
    const files = await from.files(serial, token);
    const folder = await temporaryFolder();
    const blocks = files.certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
    const roots = (await from.send('GET', '/certs/ca?only=roots')).text;
    await writeFile(join(folder, 'leaf.pem'), blocks[0] ?? '');
    await writeFile(join(folder, 'issuer.pem'), blocks[1] ?? '');
    await writeFile(join(folder, 'root.pem'), roots);
    return { serial, token, folder };
  }

  const names = ({ folder }: Issued) => {
    const at = (name: string) => join(folder, name);
    return ['-issuer', at('issuer.pem'), '-cert', at('leaf.pem')];
  };
  const trusted = async (args: string[], issued: Issued): Promise<string> => {
    // The intermediate comes along as the client has it; the responder is found in the answer.
    const all = join(issued.folder, 'all.pem');
    const parts = await Promise.all(
      ['root.pem', 'issuer.pem'].map((name) => readFile(join(issued.folder, name))),
    );
    await writeFile(all, Buffer.concat(parts));
    const result = await openssl(['ocsp', ...args, '-CAfile', all]);
    return result.stdout.toString() + result.stderr;
  };

  /** The request of openssl in DER. */
  async function request(issued: Issued, ...args: string[]): Promise<Buffer> {
    const file = join(issued.folder, `req-${randomBytes(4).toString('hex')}.der`);
    const made = await openssl(['ocsp', ...args, ...names(issued), '-reqout', file]);
    if (made.code !== 0) throw new Error(made.stderr);
    return readFile(file);
  }

  const post = (der: Buffer, from = suite): Promise<Reply> =>
    from.send('POST', '/certs/ocsp', {
      headers: { 'content-type': 'application/ocsp-request' },
      body: der,
    });

  const get = (der: Buffer, from = suite): Promise<Reply> =>
    from.send('GET', `/certs/ocsp/${encodeURIComponent(der.toString('base64'))}`);

  async function text(reply: Reply): Promise<string> {
    const file = join(await temporaryFolder(), 'resp.der');
    await writeFile(file, reply.bytes);
    const shown = await openssl(['ocsp', '-respin', file, '-resp_text', '-noverify']);
    return shown.stdout.toString() + shown.stderr;
  }

  const statusByte = (reply: Reply): number => {
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/ocsp-response');
    const length = reply.bytes[1] ?? 0;
    // SEQUENCE header, then ENUMERATED 0a 01 and the status.
    return reply.bytes[(length < 0x80 ? 2 : 2 + (length & 0x7f)) + 2] ?? -1;
  };

  it.each([
    ['sha1', [], []],
    ['sha256', ['-sha256'], []],
    ['sha1, no nonce', [], ['-no_nonce']],
    ['sha256, no nonce', ['-sha256'], ['-no_nonce']],
  ])(
    'certificates.md 16.5: openssl by POST says good, then revoked with its reason, %s',
    async (_, hash, nonce) => {
      const issued = await issue();
      const ask = () => trusted([...hash, ...nonce, ...names(issued), '-url', url()], issued);
      const good = await ask();
      expect(good).toContain('Response verify OK');
      expect(good).toContain('leaf.pem: good');
      const { serial, token } = issued;
      await suite.send('PATCH', `/certs/${serial}/revoke`, {
        token,
        body: { reason: 'superseded' },
      });
      const revoked = await ask();
      expect(revoked).toContain('Response verify OK');
      expect(revoked).toContain('leaf.pem: revoked');
      expect(revoked).toContain('Reason: superseded');
    },
  );

  it('certificates.md 16.5: by GET, and as the certificate itself says in its pointer', async () => {
    const issued = await issue();
    const der = await request(issued, '-no_nonce');
    const reply = await get(der);
    const file = join(issued.folder, 'resp.der');
    await writeFile(file, reply.bytes);
    const checked = await trusted(['-respin', file, ...names(issued)], issued);
    expect(checked).toContain('Response verify OK');
    expect(checked).toContain('leaf.pem: good');
    const shown = await openssl([
      'x509',
      '-in',
      join(issued.folder, 'leaf.pem'),
      '-noout',
      '-ocsp_uri',
    ]);
    expect(shown.stdout.toString().trim()).toBe('http://status.test/certs/ocsp');
  });

  it('certificates.md 16.5: an unknown serial is unknown, a foreign issuer unauthorized', async () => {
    const issued = await issue();
    const other = await Suite.start();
    const foreign = await issue(other);
    const unknown = await trusted(
      ['-issuer', join(issued.folder, 'issuer.pem'), '-serial', '12345', '-url', url()],
      issued,
    );
    expect(unknown).toContain('Response verify OK');
    expect(unknown).toContain('12345: unknown');
    expect(statusByte(await post(await request(foreign)))).toBe(6);
    await other.stop();
  });

  it('certificates.md 16.6: mixed issuers and the root by name are unauthorized', async () => {
    const issued = await issue();
    const at = (name: string) => join(issued.folder, name);
    const file = at('mixed.der');
    const mixed = [...names(issued), '-issuer', at('root.pem'), '-cert', at('issuer.pem')];
    await openssl(['ocsp', ...mixed, '-reqout', file]);
    expect(statusByte(await post(await readFile(file)))).toBe(6);
    await openssl(['ocsp', '-issuer', at('root.pem'), '-cert', at('issuer.pem'), '-reqout', file]);
    expect(statusByte(await post(await readFile(file)))).toBe(6);
  });

  it('certificates.md 16.6: a signed request is answered, its signature ignored', async () => {
    const issued = await issue();
    const files = await suite.files(issued.serial, issued.token);
    const key = join(issued.folder, 'key.pem');
    await writeFile(key, files.private_key ?? '');
    const leaf = join(issued.folder, 'leaf.pem');
    const der = await request(issued, '-signer', leaf, '-signkey', key);
    expect(await text(await post(der))).toContain('Cert Status: good');
  });

  /** A request with one item, and a nonce of which the inside of extnValue is given. */
  async function raw(issued: Issued, nonce: Buffer | null, critical = ''): Promise<Buffer> {
    const [block] = fromPem(await readFile(join(issued.folder, 'issuer.pem'), 'utf8'));
    const info = readCertificate(block!.der);
    const { sha1 } = certIdHashes(info);
    const certId = certIdDer({ ...sha1, hash: 'sha1', serial: BigInt(issued.serial) });
    const tlv = (tag: number, ...content: Buffer[]): Buffer => {
      const body = Buffer.concat(content);
      const length =
        body.length < 128
          ? [body.length]
          : body.length < 256
            ? [0x81, body.length]
            : [0x82, body.length >> 8, body.length & 255];
      return Buffer.concat([Buffer.from([tag, ...length]), body]);
    };
    const extensions: Buffer[] = [];
    const oid = (hex: string): Buffer => tlv(6, Buffer.from(hex, 'hex'));
    if (nonce !== null) {
      extensions.push(tlv(0x30, oid('2b0601050507300102'), tlv(4, nonce)));
    }
    if (critical !== '') {
      extensions.push(tlv(0x30, oid(critical), tlv(1, Buffer.of(255)), tlv(4, Buffer.of(5, 0))));
    }
    const list = tlv(0x30, tlv(0x30, certId));
    const more = extensions.length === 0 ? [] : [tlv(0xa2, tlv(0x30, ...extensions))];
    return tlv(0x30, tlv(0x30, list, ...more));
  }

  it('certificates.md 16.6: nonces wrapped and raw come back, 0 and 129 bytes and critical strangers are malformed', async () => {
    const issued = await issue();
    const wrapped = (size: number): Buffer => {
      const head = size < 128 ? [4, size] : [4, 0x81, size];
      return Buffer.concat([Buffer.from(head), randomBytes(size)]);
    };
    for (const nonce of [wrapped(1), wrapped(32), wrapped(128), Buffer.alloc(16, 0xee)]) {
      const reply = await post(await raw(issued, nonce));
      expect(statusByte(reply)).toBe(0);
      expect(reply.bytes.includes(nonce)).toBe(true);
      expect(reply.headers['cache-control']).toBeUndefined();
    }
    for (const nonce of [wrapped(0), wrapped(129), Buffer.alloc(0), Buffer.alloc(129, 0xee)]) {
      expect(statusByte(await post(await raw(issued, nonce)))).toBe(1);
    }
    expect(statusByte(await post(await raw(issued, null, '2a0304')))).toBe(1);
    const malformed = [Buffer.from('junk'), Buffer.alloc(0), randomBytes(20_000)];
    for (const bytes of malformed) expect(statusByte(await post(bytes))).toBe(1);
    expect((await post(Buffer.alloc(70_000))).status).toBe(413);
  });

  it('answers up to 16 certificates in order, and calls more malformed', async () => {
    const issued = await issue();
    const serials = Array.from({ length: 15 }, (_, i) => ['-serial', String(1000 + i)]);
    const at = join(issued.folder, 'many.der');
    const build = async (list: string[][]): Promise<Buffer> => {
      const made = await openssl(['ocsp', ...names(issued), ...list.flat(), '-reqout', at]);
      expect(made.code).toBe(0);
      return readFile(at);
    };
    const shown = await text(await post(await build(serials)));
    const order = [...shown.matchAll(/Cert Status: (\w+)/g)].map((match) => match[1]);
    expect(order).toEqual(['good', ...Array.from({ length: 15 }, () => 'unknown')]);
    expect(statusByte(await post(await build([...serials, ['-serial', '7']])))).toBe(1);
  });

  it('certificates.md 16.6: GET takes base64 with //, + and %2B, raw or percent-encoded, over 100 characters', async () => {
    const issued = await issue();
    // Six bits of ones are a slash, 111110 is a plus; the latter in each position that it may have in three bytes.
    const bits = `${'ff'.repeat(6)}${'fbefbe'.repeat(2)}${'efbefb'.repeat(2)}${'befbef'.repeat(2)}`;
    const nonce = Buffer.concat([Buffer.of(4, 24), Buffer.from(bits, 'hex')]);
    const base64 = (await raw(issued, nonce)).toString('base64');
    expect(base64).toMatch(/\+/);
    expect(base64).toMatch(/\/\//);
    expect(base64.length).toBeGreaterThan(100);
    const paths = [
      `/certs/ocsp/${base64}`,
      `/certs/ocsp/${encodeURIComponent(base64)}`,
      `/certs/ocsp/${base64.replaceAll('+', '%2B')}`,
      `/certs/ocsp/${base64.replaceAll('+', '%20')}`,
      `/certs/ocsp/${base64}?force_status=REVOKE`,
    ];
    for (const path of paths) {
      const reply = await suite.send('GET', path);
      expect([path, statusByte(reply)]).toEqual([path, 0]);
      expect(await text(reply)).toContain('Cert Status: good');
    }
    for (const path of ['/certs/ocsp/', '/certs/ocsp/!!', `/certs/ocsp///${base64}`]) {
      expect(statusByte(await suite.send('GET', path))).toBe(1);
    }
  });

  it('certificates.md 16.6: header sets of GET, POST and nonce', async () => {
    const issued = await issue();
    const plain = await request(issued, '-no_nonce');
    const reply = await get(plain);
    const now = Math.floor(suite.clock.now().getTime() / 1000) * 1000;
    expect(reply.headers).toMatchObject({
      'content-type': 'application/ocsp-response',
      date: new Date(now).toUTCString(),
      'last-modified': new Date(now - 60_000).toUTCString(),
      expires: new Date(now + 3_600_000).toUTCString(),
      etag: `"${createHash('sha256').update(reply.bytes).digest('hex')}"`,
      'cache-control': 'public, max-age=60, no-transform, must-revalidate',
    });
    const again = await get(plain);
    expect(again.bytes.equals(reply.bytes)).toBe(true);
    const posted = await post(plain);
    expect(posted.bytes.equals(reply.bytes)).toBe(true);
    expect(posted.headers['cache-control']).toBeUndefined();
    const nonced = await get(await request(issued));
    expect(nonced.headers['cache-control']).toBeUndefined();
    expect(nonced.bytes.equals(reply.bytes)).toBe(false);
    const error = await suite.send('GET', '/certs/ocsp/AAAA');
    expect(error.headers['cache-control']).toBe('no-store');
  });

  it('certificates.md 16.6: a client whose clock is 50 s slow accepts', async () => {
    const ahead = await Suite.start();
    ahead.clock.advance(50_000);
    const issued = await issue(ahead);
    const at = `http://127.0.0.1:${ahead.port}/certs/ocsp`;
    const said = await trusted([...names(issued), '-url', at, '-validity_period', '0'], issued);
    expect(said).toContain('Response verify OK');
    expect(said).toContain('leaf.pem: good');
    await ahead.stop();
  });

  it('certificates.md 16.6: an expired certificate keeps its last status, with an archive cutoff', async () => {
    const later = await Suite.start();
    const [kept, revoked] = [
      await issue(later, { ttl: '10m' }),
      await issue(later, { ttl: '10m' }),
    ];
    const { serial, token } = revoked;
    await later.send('PATCH', `/certs/${serial}/revoke`, { token, body: { reason: 1 } });
    const before = await text(await post(await request(kept, '-no_nonce'), later));
    expect(before).not.toContain('Archive Cutoff');
    later.clock.advance(600_000);
    const good = await text(await post(await request(kept, '-no_nonce'), later));
    expect(good).toContain('Cert Status: good');
    expect(good).toContain('Archive Cutoff');
    const shown = await text(await post(await request(revoked, '-no_nonce'), later));
    expect(shown).toContain('Cert Status: revoked');
    expect(shown).toContain('keyCompromise');
    await later.stop();
  });

  it('certificates.md 4: keyCompromise after another reason shows with the old date', async () => {
    const other = await Suite.start();
    const issued = await issue(other);
    const { serial, token } = issued;
    const revoke = (reason: string) =>
      other.send('PATCH', `/certs/${serial}/revoke?reason=${reason}`, { token });
    const der = await request(issued, '-no_nonce');
    await revoke('superseded');
    const first = await text(await get(der, other));
    other.clock.advance(5_000);
    await revoke('cessationOfOperation');
    expect(await text(await get(der, other))).toBe(first);
    await revoke('keyCompromise');
    const stronger = await text(await get(der, other));
    expect(stronger).toContain('keyCompromise');
    const date = (shown: string) => /Revocation Time: (.*)/.exec(shown)?.[1];
    expect(date(stronger)).toBe(date(first));
    await other.stop();
  });

  it('certificates.md 16.6: over the limit the answer is tryLater in a 200', async () => {
    const limited = await Suite.start({ env: { OCSP_RATE: '3/s' } });
    const issued = await issue(limited);
    const der = await request(issued, '-no_nonce');
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push(statusByte(await post(der, limited)));
    expect(statuses).toEqual([0, 0, 0, 3, 3]);
    limited.clock.advance(1_000);
    expect(statusByte(await post(der, limited))).toBe(0);
    await limited.stop();
  });

  it('certificates.md 16.6: with the database away the last 5 s serve, then tryLater', async () => {
    const cut = await Suite.start();
    const issued = await issue(cut);
    const plain = await request(issued, '-no_nonce');
    const before = await post(plain, cut);
    await cut.database.drop();
    cut.clock.advance(4_000);
    const stale = await post(plain, cut);
    expect(stale.bytes.equals(before.bytes)).toBe(true);
    expect(statusByte(await post(await request(issued), cut))).toBe(0);
    cut.clock.advance(1_001);
    expect(statusByte(await post(plain, cut))).toBe(3);
    await cut.stop();
  });

  it('certificates.md 16.6: a replica that heard nothing of a revocation says revoked at once', async () => {
    const deaf = await suite.replica();
    const issued = await issue();
    const der = await request(issued, '-no_nonce');
    expect(await text(await get(der, deaf))).toContain('Cert Status: good');
    await suite.send('PATCH', `/certs/${issued.serial}/revoke`, { token: issued.token });
    expect(await text(await get(der, deaf))).toContain('Cert Status: revoked');
    await deaf.stop();
  });

  it('certificates.md 16.6: a question in JSON while the database hangs: tryLater', async () => {
    const issued = await issue();
    const body = { serial_number: issued.serial };
    await suite.store.transaction(async (tx) => {
      await tx.query('LOCK TABLE certificates');
      expect(statusByte(await suite.send('POST', '/certs/ocsp', { body }))).toBe(3);
    });
    expect(statusByte(await suite.send('POST', '/certs/ocsp', { body }))).toBe(0);
  });

  it('a question in JSON pays before anything is read', async () => {
    const limited = await Suite.start({ env: { OCSP_RATE: '3/s' } });
    const ask = (body: object) => limited.send('POST', '/certs/ocsp', { body });
    const statuses = [];
    for (let i = 1; i <= 4; i++) statuses.push(statusByte(await ask({ serial_number: `${i}` })));
    expect(statuses).toEqual([0, 0, 0, 3]);
    expect(statusByte(await ask({ certificate: 'unreadable' }))).toBe(3);
    await limited.stop();
  });

  it('an error that comes up while signing is not cached, here or elsewhere', async () => {
    const issued = await issue();
    const der = await request(issued, '-no_nonce');
    const { responders } = suite.app.get<Services>(SERVICES, { strict: false });
    const of = responders.of.bind(responders);
    let calls = 0;
    responders.of = (issuerId) => (++calls === 1 ? of(issuerId) : undefined);
    const failed = await get(der);
    responders.of = of;
    expect([statusByte(failed), failed.headers['cache-control']]).toEqual([6, 'no-store']);
    expect(statusByte(await get(der))).toBe(0);
  });

  it('the JSON forms ask by serial and by certificate', async () => {
    const issued = await issue();
    const leaf = await readFile(join(issued.folder, 'leaf.pem'), 'utf8');
    for (const body of [{ serial_number: issued.serial }, { certificate: leaf }]) {
      const reply = await suite.send('POST', '/certs/ocsp', { body });
      expect(await text(reply)).toContain('Cert Status: good');
    }
    const unknown = await suite.send('POST', '/certs/ocsp', { body: { serial_number: '99' } });
    expect(await text(unknown)).toContain('Cert Status: unknown');
    for (const body of [{}, { serial_number: 5 }, { serial_number: 'x' }, { certificate: 'x' }]) {
      expect((await suite.send('POST', '/certs/ocsp', { body })).status).toBe(400);
    }
    expect(statusByte(await suite.send('POST', '/certs/ocsp'))).toBe(1);
  });
});
