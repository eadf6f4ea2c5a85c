import { createHash, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { EnrolmentToken } from '@glacis/contracts';
import {
  bareCsr,
  fromPem,
  generateKeys,
  privateKeyPem,
  renewalCsr,
  serialToDecimal,
  spkiOf,
  toPem,
  type KeyPair,
} from '@glacis/pki';
import { waitFor } from '@glacis/runtime';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { EstPort } from '../src/index.js';
import { makeCsr } from './csr.js';
import { basic, est, type EstReply, type EstSend } from './est-client.js';
import { Suite } from './suite.js';

const env = { EST_PORT: '0', EST_HOST: '127.0.0.1', ENROL_RATE: '10000' };
let suite: Suite;
let port: number;

beforeAll(async () => {
  suite = await Suite.start({ env });
  port = await portOf(suite);
});
afterAll(() => Suite.stopAll());

const portOf = (of: Suite): Promise<number> =>
  waitFor(() => of.app.get(EstPort, { strict: false }).port, { what: 'the EST port' });

interface Host extends EnrolmentToken {
  backend: string;
  keys: KeyPair;
}

/** A backend with a token and a key of its own. */
async function host({ tenant = 'tenant-a', cidr = '', ttlSeconds = 900 } = {}): Promise<Host> {
  const backend = suite.backends.register(tenant);
  const token = await suite.directory.client('certificates').createEnrolmentToken({
    tenant,
    backendId: backend,
    ttlSeconds,
    cidr,
    requestedBy: 'service:backends',
  });
  return { ...token, backend, keys: await generateKeys('ECDSA-P256') };
}

const csrOf = ({ privateKey }: KeyPair): string => bareCsr(privateKey).toString('base64');

const enrol = (
  { backend, token, keys }: Host,
  { tenant = '/tenant-a', at = port, body = csrOf(keys) } = {},
): Promise<EstReply> =>
  est(at, ['POST', `/.well-known/est${tenant}/simpleenroll`], {
    headers: basic(backend, token),
    body,
  });

interface Enrolled extends Host {
  der: Buffer;
  serial: string;
  tls: Pick<EstSend, 'cert' | 'key'>;
}

async function enrolled(): Promise<Enrolled> {
  const made = await host();
  const reply = await enrol(made);
  if (reply.status !== 200) throw new Error(reply.text);
  const [der = Buffer.alloc(0)] = reply.certificates();
  return asEnrolled(made, der, made.keys);
}

function asEnrolled(made: Host, der: Buffer, keys: KeyPair): Enrolled {
  const tls = { cert: toPem('CERTIFICATE', der), key: privateKeyPem(keys.privateKey) };
  return {
    ...made,
    keys,
    der,
    serial: serialToDecimal(new X509Certificate(der).serialNumber),
    tls,
  };
}

const reenrol = (
  { tls }: Pick<Enrolled, 'tls'>,
  body: Buffer | string,
  tenant = '/tenant-a',
  at = port,
): Promise<EstReply> =>
  est(at, ['POST', `/.well-known/est${tenant}/simplereenroll`], {
    ...tls,
    body: Buffer.isBuffer(body) ? body.toString('base64') : body,
  });

const renewed = ({ der, keys }: Enrolled): Buffer => renewalCsr(der, keys.privateKey);

async function countOf(backend: string): Promise<number> {
  const rows = await suite.store.query('SELECT 1 FROM certificates WHERE entity_id = $1', [
    backend,
  ]);
  return rows.length;
}

/** A certificate that nobody of ours has signed. */
async function foreignLeaf(): Promise<Enrolled['tls']> {
  const folder = await temporaryFolder();
  const [cert, key] = [join(folder, 'c.pem'), join(folder, 'k.pem')];
  const made = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-subj', '/CN=x', '-days', '1'];
  await openssl([...made, '-out', cert, '-keyout', key]);
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

const refusedToken = { status: 401, code: 'enrolment-token-invalid' };

it('bug: a key that was revoked as compromised was certified again by enrolment and by renewal', async () => {
  const first = await enrolled();
  const second = await enrolled();
  const token = await suite.token();
  const body = { reason: 'keyCompromise' };
  await suite.send('PATCH', `/certs/${first.serial}/revoke`, { token, body });
  const refused = { status: 422, code: 'key-compromised', field: 'csr' };
  const other = await host();
  expect((await enrol({ ...other, keys: first.keys })).json()).toMatchObject(refused);
  expect(
    (await reenrol(second, renewalCsr(second.der, first.keys.privateKey))).json(),
  ).toMatchObject(refused);
  expect((await enrol(other)).status).toBe(200);
});

describe('certificates.md 3.3: the first certificate', () => {
  it('comes for a token and a CSR, and verifies with the pinned root', async () => {
    const made = await host();
    const { headers, ...reply } = await est(port, ['GET', '/.well-known/est/tenant-a/cacerts']);
    expect(headers).toMatchObject({
      'content-type': 'application/pkcs7-mime',
      'content-transfer-encoding': 'base64',
    });
    const cas = reply.certificates();
    const root = cas.find(
      (der) => createHash('sha256').update(der).digest('hex') === made.caSha256,
    );
    expect(root).toBeDefined();
    const ca = toPem('CERTIFICATE', root as Buffer);
    const answer = await est(port, ['POST', '/.well-known/est/tenant-a/simpleenroll'], {
      ca,
      headers: basic(made.backend, made.token),
      body: csrOf(made.keys),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/pkcs7-mime; smime-type=certs-only');
    const folder = await temporaryFolder();
    const at = (name: string): string => join(folder, name);
    await writeFile(at('answer.p7'), Buffer.from(answer.text, 'base64'));
    await writeFile(at('root.pem'), ca);
    await writeFile(at('cas.pem'), cas.map((der) => toPem('CERTIFICATE', der)).join(''));
    const read = await openssl(
      [
        'cms',
        '-cmsout',
        '-inform',
        'DER',
        '-in',
        at('answer.p7'),
        '-certsout',
        at('leaf.pem'),
      ].concat(['-out', at('copy')]),
    );
    expect(read.code).toBe(0);
    const verified = await openssl([
      'verify',
      '-CAfile',
      at('root.pem'),
      '-untrusted',
      at('cas.pem'),
      at('leaf.pem'),
    ]);
    expect(verified.stdout.toString()).toContain('OK');
    const [leaf] = answer.certificates();
    const certificate = new X509Certificate(leaf as Buffer);
    expect(certificate.subject).toContain(`CN=${made.backend}`);
    expect(certificate.publicKey.equals(made.keys.publicKey)).toBe(true);
    const told = await suite.store.query<{ envelope: string }>(
      `SELECT envelope FROM outbox WHERE type = 'certificate.issued' AND key = $1`,
      [serialToDecimal(certificate.serialNumber)],
    );
    expect(told.map(({ envelope }) => JSON.parse(envelope))).toMatchObject([
      { data: { source: 'est', entity_id: made.backend } },
    ]);
  });

  it('has no attributes to ask for', async () => {
    expect((await est(port, ['GET', '/.well-known/est/tenant-a/csrattrs'])).status).toBe(204);
  });

  it('comes again for the same token and key, whose reply may have been lost, and for no other', async () => {
    const made = await host();
    const first = await enrol(made);
    expect((await enrol(made)).text).toBe(first.text);
    expect((await enrol(made, { tenant: '' })).text).toBe(first.text);
    const other = await enrol({ ...made, keys: await generateKeys('Ed25519') });
    expect(other.json()).toMatchObject(refusedToken);
    expect(other.headers['www-authenticate']).toBe('Basic realm="enrolment"');
    expect(await countOf(made.backend)).toBe(1);
  });

  it('certificates.md 16.11: 50 parallel uses of one token with different keys on two replicas give one', async () => {
    const replica = await suite.replica(env);
    const ports = [port, await portOf(replica)];
    const made = await host();
    const keys = await Promise.all(Array.from({ length: 50 }, () => generateKeys('ECDSA-P256')));
    const replies = await Promise.all(
      keys.map((each, i) => enrol({ ...made, keys: each }, { at: ports[i % 2] })),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(49);
    expect(await countOf(made.backend)).toBe(1);
    await replica.stop();
  });

  it('is one when the same key uses the token many times at once', async () => {
    const made = await host();
    const replies = await Promise.all(Array.from({ length: 10 }, () => enrol(made)));
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
    expect(await countOf(made.backend)).toBe(1);
  });

  it.each([
    ['a forged token', (made: Host) => ({ ...made, token: `${made.token}x` })],
    ['none', (made: Host) => ({ ...made, token: '' })],
    [
      'that of another backend',
      (made: Host) => ({ ...made, backend: suite.backends.register('tenant-a') }),
    ],
  ])('does not come for %s', async (_, change) => {
    const made = await host();
    expect((await enrol(change(made))).json()).toMatchObject(refusedToken);
    expect((await enrol(made)).status).toBe(200);
  });

  it('does not come in another tenant, from outside the block, past the end, or for a backend that is gone', async () => {
    const made = await host();
    expect((await enrol(made, { tenant: '/tenant-b' })).json()).toMatchObject(refusedToken);
    expect((await enrol(await host({ cidr: '10.0.0.0/8' }))).json()).toMatchObject(refusedToken);
    expect((await enrol(await host({ cidr: '127.0.0.0/8' }))).status).toBe(200);
    await suite.directory.client('certificates').revokeEntity({
      tenant: 'tenant-a',
      entityType: 'backend',
      entityId: made.backend,
      reason: 5,
    });
    expect((await enrol(made)).json()).toMatchObject(refusedToken);
    const late = await host({ ttlSeconds: 60 });
    suite.clock.advance(60_000);
    expect((await enrol(late)).json()).toMatchObject(refusedToken);
  });

  it('leaves the token good when the CSR is refused, and names the field', async () => {
    const made = await host();
    const weak = await makeCsr({ key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] });
    expect((await enrol(made, { body: 'nonsense!' })).json()).toMatchObject({
      status: 400,
      code: 'malformed',
      field: 'csr',
    });
    expect((await enrol(made, { body: weak.csr })).json()).toMatchObject({ code: 'csr-rejected' });
    const stolen = await makeCsr({ extensions: ['subjectAltName=DNS:*.example.com'] });
    expect((await enrol(made, { body: stolen.csr })).json()).toMatchObject({
      status: 422,
      code: 'name-not-allowed',
      reason: 'wildcard',
    });
    expect((await enrol(made)).status).toBe(200);
  });

  it('is refused as JSON, and by a body over 64 KiB, and by a path that is none', async () => {
    const made = await host();
    const path = '/.well-known/est/tenant-a/simpleenroll';
    const headers = basic(made.backend, made.token);
    const json = { ...headers, 'content-type': 'application/json' };
    expect((await est(port, ['POST', path], { headers: json, body: '{}' })).status).toBe(415);
    const large = await est(port, ['POST', path], { headers, body: 'A'.repeat(65_537) });
    expect(large.json()).toMatchObject({ status: 413 });
    expect((await est(port, ['GET', path])).status).toBe(405);
    expect((await est(port, ['GET', '/certs'])).status).toBe(404);
  });

  it('keeps five tokens per backend; a sixth ends the oldest', async () => {
    const first = await host();
    const again = (): Promise<EnrolmentToken> =>
      suite.directory.client('certificates').createEnrolmentToken({
        tenant: 'tenant-a',
        backendId: first.backend,
        ttlSeconds: 900,
        cidr: '',
        requestedBy: 'service:backends',
      });
    suite.clock.advance(1);
    await Promise.all(Array.from({ length: 4 }, again));
    suite.clock.advance(1);
    const sixth = await again();
    expect((await enrol(first)).json()).toMatchObject(refusedToken);
    expect((await enrol({ ...first, ...sixth })).status).toBe(200);
    const kept = await suite.store.query('SELECT * FROM enrolment_tokens WHERE backend_id = $1', [
      first.backend,
    ]);
    expect(kept).toHaveLength(4);
    expect(JSON.stringify(kept)).not.toContain(first.token);
  });

  it('bug: any service of ours could have a token made', async () => {
    const request = { tenant: 'tenant-a', backendId: 'x', ttlSeconds: 60, cidr: '' };
    const made = suite.directory
      .client('certificates')
      .createEnrolmentToken({ ...request, requestedBy: 'service:gateway' });
    await expect(made).rejects.toMatchObject({ reason: 'forbidden' });
  });

  it('bug: a token that began with a hyphen was taken for an option of manager enrol', async () => {
    expect((await host()).token).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is tried at most ten times a minute for a backend', async () => {
    const strict = await suite.replica({ ...env, ENROL_RATE: '10' });
    const at = await portOf(strict);
    const made = await host();
    for (let i = 0; i < 10; i++) {
      expect((await enrol({ ...made, token: 'x' }, { at })).status).toBe(401);
    }
    const over = await enrol(made, { at });
    expect([over.status, over.headers['retry-after']]).toEqual([429, '6']);
    await strict.stop();
  });
});

describe('certificates.md 3.3: renewal by the holder', () => {
  it('gives the same subject and names a new serial, for the same key or a new one', async () => {
    const old = await enrolled();
    const same = await reenrol(old, renewed(old));
    expect(same.status).toBe(200);
    const keys = await generateKeys('ECDSA-P256');
    const other = await reenrol(old, renewalCsr(old.der, keys.privateKey));
    const [first, second] = [same, other].map((reply) => {
      const [der = Buffer.alloc(0)] = reply.certificates();
      return new X509Certificate(der);
    });
    const before = new X509Certificate(old.der);
    expect(first).toMatchObject({ subject: before.subject, subjectAltName: before.subjectAltName });
    expect(first?.publicKey.equals(old.keys.publicKey)).toBe(true);
    expect(spkiOf(second!.publicKey)).toEqual(spkiOf(keys.publicKey));
    const token = await suite.token();
    const view = await suite.send('GET', `/certs/${old.serial}`, { token });
    expect(view.json()).toMatchObject({
      status: 'valid',
      renewed_to: serialToDecimal(second!.serialNumber),
    });
  });

  it('bug: whoever named a backend in vain tries used up the renewals of its host', async () => {
    const strict = await suite.replica({ ...env, ENROL_RATE: '10' });
    const at = await portOf(strict);
    const old = await enrolled();
    for (let i = 0; i < 11; i++) await enrol({ ...old, token: 'x' }, { at });
    expect((await enrol(old, { at })).status).toBe(429);
    expect((await reenrol(old, renewed(old), '/tenant-a', at)).status).toBe(200);
    await strict.stop();
  });

  it('answers POST /certs/renew as /certs/csrs does', async () => {
    const old = await enrolled();
    const body = JSON.stringify({ csr: renewed(old).toString('base64') });
    const headers = { 'content-type': 'application/json' };
    const reply = await est(port, ['POST', '/certs/renew'], { ...old.tls, headers, body });
    expect(reply.status).toBe(201);
    expect(Object.keys(reply.json())).toEqual([
      'serial_number',
      'certificate',
      'revoked',
      'expiry_time',
      'entity_id',
    ]);
    expect(reply.headers.location).toBe(`/certs/${reply.json().serial_number}`);
    expect(fromPem(reply.json().certificate)).toHaveLength(2);
    const empty = await est(port, ['POST', '/certs/renew'], { ...old.tls, headers, body: '{}' });
    expect(empty.json()).toMatchObject({ status: 400, field: 'csr' });
  });

  it('refuses another subject, other names, and a request for nothing', async () => {
    const old = await enrolled();
    const mismatch = { status: 422, code: 'subject-mismatch' };
    expect((await reenrol(old, bareCsr(old.keys.privateKey))).json()).toMatchObject(mismatch);
    const { csr } = await makeCsr({ extensions: ['subjectAltName=DNS:a.example.com'] });
    expect((await reenrol(old, csr)).json()).toMatchObject(mismatch);
    const another = await enrolled();
    expect((await reenrol(old, renewed(another))).json()).toMatchObject(mismatch);
  });

  it('refuses a client without certificate, of another CA, of another tenant, and our own services', async () => {
    const old = await enrolled();
    const request = renewed(old);
    const none = await est(port, ['POST', '/.well-known/est/tenant-a/simplereenroll'], {
      body: request.toString('base64'),
    });
    expect(none.json()).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect((await reenrol({ tls: await foreignLeaf() }, request)).status).toBe(401);
    expect((await reenrol(old, request, '/tenant-b')).status).toBe(401);
    const keys = await generateKeys('ECDSA-P256');
    const service = await suite.directory.client('certificates').issueService({
      csr: bareCsr(keys.privateKey),
      service: 'tester',
      dnsNames: [],
      ipAddresses: [],
    });
    const own = { cert: service.chainPem, key: privateKeyPem(keys.privateKey) };
    expect((await reenrol({ tls: own }, request, '')).status).toBe(401);
  });

  it('refuses a revoked certificate on the same connection, and tells an expired one', async () => {
    const old = await enrolled();
    const token = await suite.token();
    await suite.send('PATCH', `/certs/${old.serial}/revoke`, { token });
    expect((await reenrol(old, renewed(old))).json()).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    const late = await enrolled();
    suite.clock.advance(91 * 86_400_000);
    expect((await reenrol(late, renewed(late))).json()).toMatchObject({
      status: 409,
      code: 'certificate-expired',
    });
  });
});

it('bug: below a compromised issuer a leaf sent alone was told 401, with its chain 403', async () => {
  const usual = { suite, port };
  suite = await Suite.start({ env });
  port = await portOf(suite);
  const old = await enrolled();
  const stranger = await foreignLeaf();
  const request = renewed(old);
  const platform = await suite.token(null, ['platform-admin']);
  const listed = await suite.send('GET', '/certs/ca/issuers', { token: platform });
  const issuers = listed.json().issuers as { issuer_id: string; kind: string }[];
  const { issuer_id: id } = issuers.find(({ kind }) => kind === 'intermediate')!;
  const chain = old.tls.cert + (await suite.send('GET', `/certs/ca?format=pem`)).text;
  const issuerOfServer = async (): Promise<string> => {
    const socket = connectTls({ port, host: 'localhost', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const issuer = socket.getPeerX509Certificate()?.issuer ?? '';
    socket.destroy();
    return issuer;
  };
  const answers = async (): Promise<string[]> => {
    const forms = [old.tls.cert, chain].map((cert) =>
      reenrol({ tls: { ...old.tls, cert } }, request),
    );
    const told = (await Promise.all(forms)).map((reply) => reply.json());
    return told.map(({ status, code }) => `${status} ${code}`);
  };
  const before = await issuerOfServer();
  await suite.send('PATCH', `/certs/ca/${id}/revoke`, { token: platform });
  expect(await answers()).toEqual(['403 forbidden', '403 forbidden']);
  await waitFor(async () => (await issuerOfServer()) !== before, { what: 'the new trust' });
  expect(await answers()).toEqual(['403 forbidden', '403 forbidden']);
  expect((await reenrol({ tls: stranger }, request)).status).toBe(401);
  await suite.stop();
  ({ suite, port } = usual);
});

describe('backends.md 4.1: the port', () => {
  it('never resumes a session, saved before a revocation or not', async () => {
    const old = await enrolled();
    const sessions: Buffer[] = [];
    const dial = (session?: Buffer): Promise<boolean> =>
      new Promise((resolve, reject) => {
        const to = { port, host: 'localhost', rejectUnauthorized: false };
        const socket = connectTls({ ...to, ...old.tls, session }, () => {
          socket.write('GET /.well-known/est/csrattrs HTTP/1.1\r\nHost: x\r\n\r\n');
        });
        socket.on('session', (saved) => sessions.push(saved));
        socket.on('error', reject);
        socket.once('data', () => {
          resolve(socket.isSessionReused());
          socket.destroy();
        });
      });
    expect(await dial()).toBe(false);
    await suite.send('PATCH', `/certs/${old.serial}/revoke`, { token: await suite.token() });
    for (const session of sessions.slice()) expect(await dial(session)).toBe(false);
  });

  it('speaks TLS 1.3 alone', async () => {
    const socket = connectTls({ port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/PROTOCOL_VERSION/);
  });

  it('closes a connection that speaks no TLS', async () => {
    const socket = connectTcp({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.write('no handshake');
    await once(socket, 'close');
  });
});
