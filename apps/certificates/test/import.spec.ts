import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromPem, readCertificate, readCrl } from '@glacis/pki';
import { openssl } from '@glacis/testbed';
import type { Services } from '../src/compose.js';
import { SERVICES } from '../src/tokens.js';
import { ForeignCas, type ForeignCa } from './foreign-ca.js';
import { Suite } from './suite.js';

const text = (file: string): Promise<string> => readFile(file, 'utf8');

describe('a CA brought in', () => {
  let cas: ForeignCas;

  beforeAll(async () => {
    cas = await ForeignCas.open();
  });
  afterAll(() => Suite.stopAll());

  const check = (suite: Suite): Promise<void> =>
    suite.app.get<Services>(SERVICES, { strict: false }).rotation.check();

  const dirOf = async (
    name: string,
    ca: ForeignCa,
    more: Record<string, string> = {},
  ): Promise<string> =>
    cas.caDir(name, { 'tls.crt': await text(ca.cert), 'tls.key': await text(ca.key), ...more });

  async function verify(
    suite: Suite,
    serial: string,
    token: string,
    root: ForeignCa,
  ): Promise<string> {
    const { certificate } = await suite.files(serial, token);
    const crls = (await suite.send('GET', '/certs/crl?issuer=all&format=pem')).text;
    const [cert, crl] = [cas.at(`${serial}.pem`), cas.at(`${serial}.crl`)];
    await writeFile(cert, certificate);
    await writeFile(crl, crls);
    const chain = ['-untrusted', cert, '-CAfile', root.cert, '-CRLfile', crl];
    const said = await openssl(['verify', '-x509_strict', '-crl_check_all', ...chain, cert]);
    return said.stdout.toString() + said.stderr;
  }

  it.each([
    ['PKCS#8 P-256', 'EC', ['-pkeyopt', 'ec_paramgen_curve:P-256'], []],
    ['PKCS#8 P-384', 'EC', ['-pkeyopt', 'ec_paramgen_curve:P-384'], []],
    ['SEC1 P-521', 'EC', ['-pkeyopt', 'ec_paramgen_curve:P-521'], ['ec']],
    ['PKCS#1 RSA', 'RSA', ['-pkeyopt', 'rsa_keygen_bits:2048'], ['rsa', '-traditional']],
    ['PKCS#8 Ed25519', 'ED25519', [], []],
  ])('certificates.md 16.8: %s, a root with its key', async (form, algorithm, options, written) => {
    const name = form.replaceAll(/\W/g, '');
    const root = await cas.make(name, { algorithm, options });
    if (written.length > 0) {
      const again = await openssl([...written, '-in', root.key, '-out', root.key]);
      expect(again.code).toBe(0);
      expect(await text(root.key)).toMatch(/BEGIN (EC|RSA) PRIVATE KEY/);
    }
    const env = { CA_DIR: await dirOf(`${name}-dir`, root), CA_UNUSED: 'true' };
    const suite = await Suite.start({ env });
    const { serial, token } = await suite.issued();
    expect(await verify(suite, serial, token, root)).toMatch(/: OK/);
    await suite.stop();
  });

  it('certificates.md 16.8: an intermediate below an offline root; its CRL goes on', async () => {
    const root = await cas.make('offline');
    const issuing = await cas.make('issuing', { signer: root });
    const next = await cas.make('issuing2', { signer: root });
    const crl = await cas.crl(issuing, 41, ['0A11CE', '0B0B']);
    const rootCrl = await cas.crl(root, 7, []);
    const caDir = await dirOf('offline-dir', issuing, {
      'ca.crt': await text(root.cert),
      'ca.crl': (await text(crl)) + (await text(rootCrl)),
    });
    const suite = await Suite.start({ env: { CA_DIR: caDir } });
    const { serial, token } = await suite.issued();
    expect(await verify(suite, serial, token, root)).toMatch(/: OK/);

    const full = await suite.send('GET', '/certs/crl');
    const shown = (
      await openssl(['crl', '-inform', 'DER', '-noout', '-text'], full.bytes)
    ).stdout.toString();
    for (const hex of ['0A11CE', '0B0B']) expect(shown).toContain(`Serial Number: ${hex}\n`);
    expect(shown).toContain('Key Compromise');
    const number = async (): Promise<bigint> =>
      BigInt(
        (
          await suite.store.query<{ number: string }>(
            `SELECT number FROM crl_shards WHERE scope = 'full'`,
          )
        )[0]!.number,
      );
    expect(await number()).toBeGreaterThan(41n);
    const [issuer] = fromPem(await text(issuing.cert));
    const { serial: ofIssuing } = readCertificate(issuer!.der);

    // OCSP knows of earlier leaves what the CRL says, and no more.
    const ask = async (hex: string): Promise<string> => {
      const request = cas.at(`${hex}.req`);
      await openssl(['ocsp', '-issuer', issuing.cert, '-serial', `0x${hex}`, '-reqout', request]);
      const reply = await suite.send('POST', '/certs/ocsp', {
        headers: { 'content-type': 'application/ocsp-request' },
        body: await readFile(request),
      });
      const response = cas.at(`${hex}.resp`);
      await writeFile(response, reply.bytes);
      return (
        await openssl(['ocsp', '-respin', response, '-resp_text', '-noverify'])
      ).stdout.toString();
    };
    expect(await ask('0A11CE')).toMatch(/Cert Status: revoked[\s\S]*keyCompromise/);
    expect(await ask('0C0C')).toContain('Cert Status: unknown');

    // No new intermediate can be made here, and one is brought in instead; the root CRL too.
    const platform = await suite.token(null, ['platform-admin']);
    const order = await suite.send('POST', '/certs/ca/rotations', { token: platform });
    expect([order.status, order.json().code]).toEqual([409, 'ca-key-offline']);
    const [, current] = (await suite.send('GET', '/certs/ca/issuers', { token: platform })).json()
      .issuers;
    suite.clock.advance(1_000);
    const revoked = await suite.send('PATCH', `/certs/ca/${current.issuer_id}/revoke`, {
      token: platform,
    });
    expect(revoked.status).toBe(200);
    const backend = suite.backends.register('tenant-a');
    const refused = await suite.send('POST', `/certs/issue/backend/${backend}`, { token });
    expect([refused.status, refused.json().code]).toEqual([503, 'ca-unavailable']);
    const newer = await cas.crl(root, 8, [ofIssuing.toString(16).padStart(40, '0')]);
    await dirOf('offline-dir', next, {
      'ca.crl': (await text(newer)) + (await text(await cas.crl(next, 1, []))),
    });
    await check(suite);
    expect(
      (await suite.send('GET', '/certs/ca/issuers', { token: platform })).json().issuers,
    ).toMatchObject([
      { state: 'current', has_key: false },
      { state: 'revoked' },
      { state: 'current' },
    ]);
    expect(await suite.store.query(`SELECT number FROM crl_shards WHERE scope = 'root'`)).toEqual([
      { number: '8' },
    ]);
    await suite.stop();
  });

  it('certificates.md 5: a CA brought in beside another signs after the overlap, cross-signed as far as keys are here', async () => {
    const root = await cas.make('second');
    const suite = await Suite.start();
    const env = { CA_DIR: await dirOf('second-dir', root), CA_UNUSED: 'true' };
    const replica = await suite.replica(env);
    const platform = await suite.token(null, ['platform-admin']);
    const kinds = async (): Promise<string[]> =>
      (await replica.send('GET', '/certs/ca/issuers', { token: platform }))
        .json()
        .issuers.map((each: { kind: string; state: string }) => `${each.kind} ${each.state}`)
        .toSorted((a: string, b: string) => a.localeCompare(b));
    expect(await kinds()).toEqual([
      'cross current',
      'cross current',
      'intermediate current',
      'intermediate pending',
      'root current',
      'root pending',
    ]);
    suite.clock.advance(24 * 3_600_000);
    await check(replica);
    await check(replica);
    expect(await kinds()).toContain('intermediate current');
    const { serial, token } = await replica.issued();
    expect(fromPem((await replica.files(serial, token)).certificate).length).toBeGreaterThan(1);
    await suite.stop();
    await replica.stop();
  });

  it('bug: below an offline root the intermediate that waited signed only an hour after the compromise', async () => {
    const root = await cas.make('waiting-root');
    const [first, next] = [
      await cas.make('waiting1', { signer: root }),
      await cas.make('waiting2', { signer: root }),
    ];
    const roots = { 'ca.crt': await text(root.cert) };
    const caDir = await dirOf('waiting-dir', first, roots);
    const suite = await Suite.start({ env: { CA_DIR: caDir, CA_UNUSED: 'true' } });
    await dirOf('waiting-dir', next, roots);
    await check(suite);
    const platform = await suite.token(null, ['platform-admin']);
    const issuers = async (): Promise<{ issuer_id: string; state: string }[]> =>
      (await suite.send('GET', '/certs/ca/issuers', { token: platform })).json().issuers;
    expect(await issuers()).toMatchObject([
      { state: 'current' },
      { state: 'current' },
      { state: 'pending' },
    ]);
    const [, stolen, waiting] = await issuers();
    const path = `/certs/ca/${stolen?.issuer_id}/revoke`;
    await suite.send('PATCH', path, { token: platform });
    const { serial, token } = await suite.issued();
    const view = (await suite.send('GET', `/certs/${serial}`, { token })).json();
    expect(view.issuer_id).toBe(waiting?.issuer_id);
    await suite.stop();
  });

  it('bug: while the CRL of an offline root was missing there was none of anybody', async () => {
    const root = await cas.make('silent-root');
    const issuing = await cas.make('silent', { signer: root });
    const [ownCrl, rootCrl] = [await cas.crl(issuing, 1, []), await cas.crl(root, 1, [])];
    const files = { 'ca.crt': await text(root.cert), 'ca.crl': await text(ownCrl) };
    const suite = await Suite.start({
      env: { CA_DIR: await dirOf('silent-dir', issuing, files) },
    });
    const all = () => suite.send('GET', '/certs/crl?issuer=all&format=pem');
    const platform = await suite.token(null, ['platform-admin']);
    const [{ issuer_id: rootId }] = (
      await suite.send('GET', '/certs/ca/issuers', { token: platform })
    ).json().issuers;
    const before = await all();
    expect(before.status).toBe(200);
    expect(fromPem(before.text).length).toBe(1);
    expect(before.headers['x-missing-crls']).toBe(rootId);
    await dirOf('silent-dir', issuing, {
      ...files,
      'ca.crl': files['ca.crl'] + (await text(rootCrl)),
    });
    await check(suite);
    const after = await all();
    expect(fromPem(after.text).length).toBe(2);
    expect(after.headers).not.toHaveProperty('x-missing-crls');
    expect(after.headers.etag).not.toBe(before.headers.etag);
    await suite.stop();
  });

  it('bug: a newer CRL of an offline root was not served when neither had a number', async () => {
    const root = await cas.make('plain-root');
    const issuing = await cas.make('plain', { signer: root });
    const files = async (): Promise<Record<string, string>> => ({
      'ca.crt': await text(root.cert),
      'ca.crl':
        (await text(await cas.crl(root, 0, []))) + (await text(await cas.crl(issuing, 1, []))),
    });
    const suite = await Suite.start({
      env: { CA_DIR: await dirOf('plain-dir', issuing, await files()) },
    });
    const platform = await suite.token(null, ['platform-admin']);
    const [{ issuer_id: rootId }] = (
      await suite.send('GET', '/certs/ca/issuers', { token: platform })
    ).json().issuers;
    const served = async (): Promise<Buffer> =>
      (await suite.send('GET', `/certs/crl/${rootId}/root.crl`)).bytes;
    const thisUpdate = (der: Buffer): number => readCrl(der).thisUpdate.getTime();
    const before = thisUpdate(await served());
    // Its times have no fractions.
    let after: Record<string, string>;
    do {
      after = await files();
    } while (thisUpdate(fromPem(after['ca.crl']!)[0]!.der) === before);
    await dirOf('plain-dir', issuing, after);
    await check(suite);
    expect((await served()).equals(fromPem(after['ca.crl']!)[0]!.der)).toBe(true);
    await suite.stop();
  });

  it('bug: a root that may not sign another was followed within a day by one that clients did not know', async () => {
    const extensions = [
      'basicConstraints=critical,CA:TRUE,pathlen:1',
      'keyUsage=critical,keyCertSign,cRLSign',
    ];
    const root = await cas.make('limited', { extensions });
    const env = { CA_DIR: await dirOf('limited-dir', root), CA_UNUSED: 'true' };
    const suite = await Suite.start({ env });
    suite.clock.advance(360 * 24 * 3_600_000);
    await check(suite);
    const platform = await suite.token(null, ['platform-admin']);
    const issuers = (await suite.send('GET', '/certs/ca/issuers', { token: platform })).json()
      .issuers as { kind: string; state: string; signs_from: string }[];
    const next = issuers.find(({ kind, state }) => kind === 'root' && state === 'pending');
    const waits = Date.parse(next?.signs_from ?? '') - suite.clock.now().getTime();
    expect(Math.round(waits / 3_600_000)).toBe(90 * 24);
    await suite.stop();
  });

  describe('is refused, and then nothing is stored,', () => {
    const leaf = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'];
    const noCrlSign = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
    const pathZero = [
      'basicConstraints=critical,CA:TRUE,pathlen:0',
      'keyUsage=critical,keyCertSign,cRLSign',
    ];

    const refusal = async (env: Record<string, string>): Promise<string> => {
      const started = Suite.start({ env });
      await expect(started).rejects.toMatchObject({ code: 'CA_IMPORT_REFUSED' });
      return started.then(
        () => '',
        (error: Error) => error.message,
      );
    };

    it('certificates.md 16.8: without its CRL and without CA_UNUSED', async () => {
      const root = await cas.make('used');
      expect(await refusal({ CA_DIR: await dirOf('used-dir', root) })).toMatch(
        /ca\.crl.*CA_UNUSED/,
      );
    });

    it.each([
      ['a leaf', { extensions: leaf }, /do not say CA/],
      ['without cRLSign', { extensions: noCrlSign }, /cRLSign/],
      ['with path length 0', { extensions: pathZero }, /path length/],
      ['that ends too soon', { days: 80 }, /ends before/],
    ])('%s', async (name, options, reason) => {
      const root = await cas.make(name.replaceAll(' ', '-'), options);
      const caDir = await dirOf(`${name}-dir`, root);
      expect(await refusal({ CA_DIR: caDir, CA_UNUSED: 'true' })).toMatch(reason);
    });

    it('for another key, a missing root, a CRL of another CA, or files that are none', async () => {
      const [one, two] = [await cas.make('one'), await cas.make('two')];
      const below = await cas.make('below', { signer: one });
      const unused = { CA_UNUSED: 'true' };
      const otherKey = await dirOf('other-key', one, { 'tls.key': await text(two.key) });
      expect(await refusal({ ...unused, CA_DIR: otherKey })).toMatch(/tls\.key.*is not the key/);
      expect(await refusal({ ...unused, CA_DIR: await dirOf('no-root', below) })).toMatch(
        /self-signed root/,
      );
      const crl = await text(await cas.crl(two, 1, []));
      const otherCrl = await dirOf('other-crl', one, { 'ca.crl': crl });
      expect(await refusal({ CA_DIR: otherCrl })).toMatch(/ca\.crl.*another CA/);
      const forged = crl.replace(/(.{8})\n-----END/, 'AAAAAAAA\n-----END');
      const badCrl = await dirOf('bad-crl', two, { 'ca.crl': forged });
      expect(await refusal({ CA_DIR: badCrl })).toMatch(/ca\.crl/);
      const long = await text(await cas.crl(two, 2, [`7F${'00'.repeat(20)}`]));
      const longSerial = await dirOf('long-serial', two, { 'ca.crl': long });
      expect(await refusal({ CA_DIR: longSerial })).toMatch(/ca\.crl.*20 octets/);
      const junk = await dirOf('junk', one, { 'tls.crt': 'junk' });
      expect(await refusal({ ...unused, CA_DIR: junk })).toMatch(/tls\.crt/);
      expect(await refusal({ CA_DIR: join(cas.folder, 'nowhere') })).toMatch(/tls\.crt.*missing/);
    });
  });
});
