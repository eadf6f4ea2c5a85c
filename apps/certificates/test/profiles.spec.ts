import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bareCsr, fromPem, generateKeys, readCertificate, toPem } from '@glacis/pki';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { makeCsr } from './csr.js';
import { Suite, type Reply } from './suite.js';

let suite: Suite;
let token: string;

beforeAll(async () => {
  suite = await Suite.start();
  token = await suite.token();
});
afterAll(() => Suite.stopAll());

const noRevAvail = '2.5.29.56';
const crlPointer = '2.5.29.31';
const authorityInfo = '1.3.6.1.5.5.7.1.1';
const minute = 60_000;

async function fromCsr(query: string, csr?: string): Promise<Reply> {
  const backend = suite.backends.register('tenant-a');
  const { privateKey } = await generateKeys('ECDSA-P256');
  const body = { csr: csr ?? toPem('CERTIFICATE REQUEST', bareCsr(privateKey)) };
  return suite.send('POST', `/certs/csrs/${backend}?${query}`, { token, body });
}

const infoOf = (pem: string): ReturnType<typeof readCertificate> =>
  readCertificate(fromPem(pem)[0]?.der ?? Buffer.alloc(0));

/** Minutes from now to the end. */
const lifeOf = (pem: string): number =>
  Math.round((infoOf(pem).notAfter.getTime() - suite.clock.now().getTime()) / minute);

describe('certificates.md 5.2: short', () => {
  it('lives for a day, names its issuer, and no place to ask of its status', async () => {
    const reply = await fromCsr('profile=short');
    expect(reply.status).toBe(201);
    const { certificate } = reply.json();
    const { extensions } = infoOf(certificate);
    expect(extensions.get(noRevAvail)).toMatchObject({
      critical: false,
      value: Buffer.from('0500', 'hex'),
    });
    expect(extensions.has(crlPointer)).toBe(false);
    const pointers = extensions.get(authorityInfo)?.value.toString('latin1') ?? '';
    expect(pointers).toMatch(/\/certs\/ca\/[0-9a-f]{32}\.crt/);
    expect(pointers).not.toContain('ocsp');
    expect(lifeOf(certificate)).toBe(24 * 60);
  });

  it.each([
    ['48h', 24 * 60],
    ['5m', 5],
  ])('asked for %s lives for %i minutes', async (ttl, minutes) => {
    const { certificate } = (await fromCsr(`profile=short&ttl=${ttl}`)).json();
    expect(lifeOf(certificate)).toBe(minutes);
  });

  it('is refused for less than 5 minutes, and where the key would be ours', async () => {
    const brief = await fromCsr('profile=short&ttl=4m59s');
    expect(brief.json()).toMatchObject({ status: 400, code: 'malformed', field: 'ttl' });
    const backend = suite.backends.register('tenant-a');
    const path = `/certs/issue/backend/${backend}`;
    const issued = await suite.send('POST', path, { token, body: { profile: 'short' } });
    expect(issued.json()).toMatchObject({ status: 422, code: 'profile-needs-csr' });
    const unknown = await suite.send('POST', path, { token, body: { profile: 'long' } });
    expect(unknown.json()).toMatchObject({ status: 400, field: 'profile' });
  });

  it('certificates.md 16.11: of 5 minutes is verified by openssl with clocks 60 s off', async () => {
    const { certificate } = (await fromCsr('profile=short&ttl=5m')).json();
    const folder = await temporaryFolder();
    const at = (name: string): string => join(folder, name);
    await writeFile(at('leaf.pem'), certificate);
    await writeFile(at('ca.pem'), (await suite.send('GET', '/certs/ca')).bytes);
    for (const offMs of [-minute, 0, minute]) {
      const time = String(Math.floor((suite.clock.now().getTime() + offMs) / 1000));
      const { code } = await openssl([
        'verify',
        '-x509_strict',
        '-attime',
        time,
        '-CAfile',
        at('ca.pem'),
        at('leaf.pem'),
      ]);
      expect([offMs, code]).toEqual([offMs, 0]);
    }
  });

  it('keeps its profile and life when it is renewed', async () => {
    const { serial_number: serial } = (await fromCsr('profile=short&ttl=10m')).json();
    const renewed = await suite.send('PATCH', `/certs/${serial}/renew`, { token });
    expect(renewed.status).toBe(200);
    const view = (await suite.send('GET', String(renewed.headers.location), { token })).json();
    expect(infoOf(view.certificate).extensions.has(noRevAvail)).toBe(true);
    expect(lifeOf(view.certificate)).toBe(10);
    const brief = await suite.send('PATCH', `/certs/${serial}/renew?ttl=1m`, { token });
    expect(brief.json()).toMatchObject({ status: 400, field: 'ttl' });
  });

  it('revoked stands in the complete CRL alone', async () => {
    const { serial_number: serial } = (await fromCsr('profile=short')).json();
    await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'full.crl'), (await suite.send('GET', '/certs/crl')).bytes);
    const shown = await openssl([
      'crl',
      '-inform',
      'DER',
      '-in',
      join(folder, 'full.crl'),
      '-noout',
      '-text',
    ]);
    const hex = BigInt(serial).toString(16).toUpperCase();
    expect(shown.stdout.toString()).toContain(hex);
    const rows = await suite.store.query('SELECT shard FROM crl_entries WHERE serial = $1', [
      serial,
    ]);
    expect(rows).toEqual([{ shard: null }]);
  });

  it('is the default of confidential VMs, unless they ask for a longer life, and of our services', async () => {
    const vm = suite.backends.register('tenant-a', '', 'cvm');
    const { privateKey } = await generateKeys('ECDSA-P256');
    const csr = bareCsr(privateKey);
    const ask = async (query: string): Promise<string> => {
      const path = `/certs/csrs/${vm}?entity_type=cvm${query}`;
      const reply = await suite.send('POST', path, {
        token,
        body: { csr: csr.toString('base64') },
      });
      return reply.json().certificate;
    };
    expect(infoOf(await ask('')).extensions.has(noRevAvail)).toBe(true);
    const lasting = await ask('&ttl=720h');
    expect(infoOf(lasting).extensions.has(noRevAvail)).toBe(false);
    expect(lifeOf(lasting)).toBe(720 * 60);
    const own = await suite.directory.client('certificates').issueService({
      csr,
      service: 'tester',
      dnsNames: ['tester.example'],
      ipAddresses: [],
    });
    expect(infoOf(own.chainPem).extensions.has(noRevAvail)).toBe(true);
    expect(lifeOf(own.chainPem)).toBe(24 * 60);
  });
});

describe('certificates.md 5.2: svid', () => {
  it('has both purposes and its URI as the one name, for any member', async () => {
    const { certificate } = (await fromCsr('profile=svid')).json();
    expect(new X509Certificate(certificate).keyUsage).toEqual([
      '1.3.6.1.5.5.7.3.2',
      '1.3.6.1.5.5.7.3.1',
    ]);
    const { uris, dnsNames, ipAddresses } = infoOf(certificate);
    expect(uris).toEqual([expect.stringMatching(/^spiffe:\/\/.+\/tenant\/tenant-a\/backend\//)]);
    expect([...dnsNames, ...ipAddresses]).toEqual([]);
  });

  it('is issued with a key of ours too, and renewed as what it is', async () => {
    const { serial } = await suite.issued({ profile: 'svid' });
    const renewed = await suite.send('PATCH', `/certs/${serial}/renew`, { token });
    const view = (await suite.send('GET', String(renewed.headers.location), { token })).json();
    expect(infoOf(view.certificate).extKeyUsages).toContain('1.3.6.1.5.5.7.3.1');
  });

  it.each(['DNS:a.example.com', 'IP:10.0.0.1'])(
    'is refused with a name such as %s',
    async (name) => {
      const { csr } = await makeCsr({ extensions: [`subjectAltName=${name}`] });
      expect((await fromCsr('profile=svid', csr)).json()).toMatchObject({
        status: 422,
        code: 'name-not-allowed',
        reason: 'not_granted',
      });
    },
  );
});
