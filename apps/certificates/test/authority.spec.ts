import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Health } from '@glacis/observability';
import { fromPem, oids, readCertificate } from '@glacis/pki';
import { waitFor } from '@glacis/runtime';
import { openssl, temporaryFolder, testDatabase } from '@glacis/testbed';
import { certificatesMigrations } from '../src/index.js';
import { purge } from '../src/certificates/purge.js';
import type { Services } from '../src/compose.js';
import { SERVICES } from '../src/tokens.js';
import { newKekFile, Suite } from './suite.js';

describe('the authority', () => {
  afterAll(() => Suite.stopAll());

  it('certificates.md 16.8: two replicas starting on an empty database make one CA', async () => {
    const database = await testDatabase({ certificates: certificatesMigrations });
    const kekFile = await newKekFile();
    const [one, two] = await Promise.all([
      Suite.start({ database, kekFile }),
      Suite.start({ database, kekFile }),
    ]);
    const ca = (await one.send('GET', '/certs/ca')).text;
    expect((await two.send('GET', '/certs/ca')).text).toBe(ca);
    expect(fromPem(ca)).toHaveLength(2);
    const rows = await one.store.query('SELECT kind, state FROM issuers ORDER BY kind');
    expect(rows).toEqual([
      { kind: 'intermediate', state: 'current' },
      { kind: 'root', state: 'current' },
    ]);
    expect(await one.store.query('SELECT 1 FROM responders')).toHaveLength(1);
    await one.stop();
    await two.stop();
    await database.drop();
  });

  it('certificates.md 16.8: without a key-encryption key the service does not start', async () => {
    const folder = await temporaryFolder();
    const bad = join(folder, 'bad');
    await writeFile(bad, 'too short');
    const empty = join(folder, 'empty');
    await writeFile(empty, '\n');
    for (const [kekFile, reason] of [
      [join(folder, 'missing'), /cannot be read/],
      [bad, /something else/],
      [empty, /is empty/],
    ] as const) {
      await expect(Suite.start({ kekFile })).rejects.toThrow(reason);
    }
  });

  it('another key-encryption key opens nothing', async () => {
    const suite = await Suite.start();
    const { database } = suite;
    await expect(Suite.start({ database, kekFile: await newKekFile() })).rejects.toThrow(
      /is not loaded/,
    );
    await suite.stop();
  });

  it('a new key-encryption key in front re-wraps what the older one wrapped', async () => {
    const suite = await Suite.start();
    const { serial, token } = await suite.issued();
    const folder = await temporaryFolder();
    const kekFile = join(folder, 'keks');
    const older = await readFile(suite.kekFile, 'utf8');
    await writeFile(kekFile, `${randomBytes(32).toString('hex')}\n${older}\n`);
    const next = await Suite.start({
      database: suite.database,
      backends: suite.backends,
      identity: suite.identity,
      clock: suite.clock,
      kekFile,
    });
    await waitFor(async () => {
      const rows = await next.store.query('SELECT DISTINCT kek_id FROM private_keys');
      return rows.length === 1;
    });
    expect((await next.files(serial, token)).private_key).toMatch(/PRIVATE KEY/);
    await next.stop();
    await suite.stop();
  });

  it('bug: re-wrapping stopped at the first key that does not authenticate', async () => {
    const suite = await Suite.start();
    const issued = await Promise.all([suite.issued(), suite.issued(), suite.issued()]);
    const [lost] = await suite.store.query<{ id: string }>(
      `UPDATE private_keys SET wrapped_dek = set_byte(wrapped_dek, 20, 255 - get_byte(wrapped_dek, 20))
       WHERE id = (SELECT min(id::text)::uuid FROM private_keys WHERE purpose = 'leaf') RETURNING id`,
    );
    const { database, backends, identity, clock } = suite;
    const kekFile = join(await temporaryFolder(), 'keks');
    await writeFile(
      kekFile,
      `${randomBytes(32).toString('hex')}\n${await readFile(suite.kekFile, 'utf8')}\n`,
    );
    const next = await Suite.start({ database, backends, identity, clock, kekFile });
    const olderOnes = (): Promise<{ id: string }[]> =>
      next.store.query(
        `SELECT id FROM private_keys WHERE kek_id <>
           (SELECT kek_id FROM private_keys GROUP BY kek_id ORDER BY count(*) DESC LIMIT 1)`,
      );
    const health = next.app.get(Health, { strict: false });
    await waitFor(async () => 'certificates keys' in (await health.ready()).error);
    expect(await olderOnes()).toEqual([lost]);
    const { status, error } = await health.ready();
    expect(error).toMatchObject({
      'certificates keys': { reason: expect.stringContaining(lost?.id ?? '-') },
    });
    expect(status).toBe('ok');
    const { safe } = next.app.get<Services>(SERVICES, { strict: false });
    await expect(safe.rewrapOld()).rejects.toMatchObject({ code: 'KEYS_BROKEN' });
    const files = issued.map(({ serial, token }) =>
      next.files(serial, token).then(
        () => 'whole',
        () => 'lost',
      ),
    );
    expect((await Promise.all(files)).toSorted()).toEqual(['lost', 'whole', 'whole']);
    await next.stop();
    await suite.stop();
  });

  it('certificates.md 16.8: no private key in clear anywhere in the database', async () => {
    const suite = await Suite.start();
    const keys: Buffer[] = [];
    for (const key_algorithm of ['ECDSA-P256', 'Ed25519', 'RSA-2048']) {
      const { serial, token } = await suite.issued({ key_algorithm });
      const { private_key: pem } = await suite.files(serial, token);
      keys.push(fromPem(pem ?? '')[0]!.der);
    }
    const columns = await suite.store.query<{ table_name: string; column_name: string }>(
      `SELECT table_name, column_name FROM information_schema.columns
       WHERE table_schema = 'certificates'`,
    );
    // Somewhere in the middle of a PKCS#8 or PKCS#1 structure lies the secret itself.
    const secrets = keys.flatMap((der) => [
      der.subarray(-40).toString('hex'),
      der.subarray(der.length / 2 - 8, der.length / 2 + 8).toString('hex'),
      der.subarray(36, 68).toString('hex'),
    ]);
    const publicParts = (await suite.store.query<{ der: Buffer }>('SELECT der FROM certificates'))
      .map((row) => row.der.toString('hex'))
      .join('\n');
    const hidden = secrets.filter((secret) => !publicParts.includes(secret));
    expect(hidden.length).toBeGreaterThanOrEqual(3);
    for (const { table_name: table, column_name: column } of columns) {
      const rows = await suite.store.query<{ text: string }>(
        `SELECT CASE WHEN pg_typeof("${column}") = 'bytea'::regtype
           THEN encode("${column}"::text::bytea, 'hex') ELSE "${column}"::text END AS text,
           "${column}"::text AS plain FROM "${table}" WHERE "${column}" IS NOT NULL`,
      );
      const dump = rows.map((row) => Object.values(row).join(' ')).join('\n');
      for (const secret of hidden) expect(dump.includes(secret)).toBe(false);
      expect(dump).not.toContain('PRIVATE KEY');
    }
    await suite.stop();
  });

  it('certificates.md 5: profiles of root, intermediate, leaf and responder', async () => {
    const suite = await Suite.start({ env: { ORGANIZATION: 'Acme', TRUST_DOMAIN: 'acme.test' } });
    const { serial, token, backend } = await suite.issued({ ip_addresses: ['192.0.2.7'] });
    const view = (await suite.send('GET', `/certs/${serial}`, { token })).json();
    const [leafPem] = fromPem(view.certificate);
    const [rootPem, intermediatePem] = fromPem((await suite.send('GET', '/certs/ca')).text);
    const [leaf, intermediate, root] = [leafPem, intermediatePem, rootPem].map((block) =>
      readCertificate(block!.der),
    );
    expect(root).toMatchObject({ isCa: true, pathLength: null, uris: ['spiffe://acme.test'] });
    expect(intermediate).toMatchObject({ isCa: true, pathLength: 0, uris: ['spiffe://acme.test'] });
    expect(leaf).toMatchObject({
      isCa: false,
      uris: [`spiffe://acme.test/tenant/tenant-a/backend/${backend}`],
      ipAddresses: ['192.0.2.7'],
      keyUsages: ['digitalSignature'],
    });
    expect(leaf!.extKeyUsages).not.toContain(oids.serverAuth);
    expect(leaf!.issuerDer.equals(intermediate!.subjectDer)).toBe(true);
    expect(leaf!.notBefore.getTime()).toBe(
      Math.floor(suite.clock.now().getTime() / 1000) * 1000 - 60_000,
    );
    const subject = async (der: Buffer) =>
      (
        await openssl(['x509', '-inform', 'DER', '-noout', '-subject', '-nameopt', 'RFC2253'], der)
      ).stdout.toString();
    expect(await subject(rootPem!.der)).toMatch(/^subject=CN=Acme Root CA 1 [0-9a-f]{8},O=Acme\n/);
    expect(await subject(intermediatePem!.der)).toMatch(
      /^subject=CN=Acme Issuing CA 1 [0-9a-f]{8},O=Acme\n/,
    );
    expect(await subject(leafPem!.der)).toBe(`subject=CN=${backend},O=Acme\n`);

    const aia = await openssl(
      ['x509', '-inform', 'DER', '-noout', '-ext', 'authorityInfoAccess'],
      leafPem!.der,
    );
    const issuerUrl = /CA Issuers - URI:(\S+)/.exec(aia.stdout.toString())?.[1] ?? '';
    const byPointer = await suite.send('GET', new URL(issuerUrl).pathname);
    expect(byPointer.headers['content-type']).toBe('application/pkix-cert');
    expect(byPointer.bytes.equals(intermediatePem!.der)).toBe(true);
    const id = view.issuer_id;
    const der = await suite.send('GET', `/certs/ca?format=der&issuer=${id}`);
    expect(der.bytes.equals(intermediatePem!.der)).toBe(true);
    expect((await suite.send('GET', '/certs/ca?format=der')).status).toBe(400);
    expect(fromPem((await suite.send('GET', '/certs/ca?only=roots')).text)).toHaveLength(1);
    expect((await suite.send('GET', '/certs/ca/0123.crt')).status).toBe(404);
    await suite.stop();
  });

  it('a tenant whose id is no path segment is named by a UUID in the URI', async () => {
    const suite = await Suite.start();
    const { serial, token } = await suite.issued({}, { tenant: 'a b/c' });
    const view = (await suite.send('GET', `/certs/${serial}`, { token })).json();
    const [uri] = readCertificate(fromPem(view.certificate)[0]!.der).uris;
    expect(uri).toMatch(/\/tenant\/[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
    await suite.stop();
  });

  it('a responder is replaced at half of its life and answers by the new one', async () => {
    const suite = await Suite.start();
    suite.clock.advance(3.5 * 24 * 3_600_000);
    const next = await suite.replica();
    const rows = await next.store.query<{ not_after: Date }>(
      'SELECT not_after FROM responders ORDER BY created_at',
    );
    expect(rows).toHaveLength(2);
    const week = 7 * 24 * 3_600_000;
    expect(rows[1]!.not_after.getTime() - suite.clock.now().getTime()).toBeGreaterThan(
      week - 2_000,
    );
    const responders = (): Promise<unknown[]> =>
      next.store.query(
        `SELECT r.id FROM responders r FULL JOIN private_keys k ON k.id = r.key_id
         WHERE r.id IS NOT NULL OR k.purpose = 'responder'`,
      );
    await purge(next.store, suite.clock.now(), week);
    expect(await responders()).toHaveLength(2);
    suite.clock.advance(week / 2);
    await purge(next.store, suite.clock.now(), week);
    expect(await responders()).toHaveLength(1);
    await suite.stop();
    await next.stop();
  });

  it('readiness names database, keys, issuer and responders', async () => {
    const suite = await Suite.start();
    const ready = await suite.send('GET', '/health/ready');
    expect(ready.status).toBe(200);
    expect(Object.keys(ready.json().info)).toEqual(
      expect.arrayContaining([
        'certificates database',
        'certificates kek',
        'certificates issuer',
        'certificates responders',
      ]),
    );
    await suite.send('GET', '/certs/ca');
    const metrics = (await suite.send('GET', '/metrics')).text;
    expect(metrics).toContain('glacis_certs_ca_not_after_seconds{issuer=');
    expect(metrics).toContain('certs_api_request_count{method="GET",status="200"} 1');
    suite.clock.advance(3 * 365 * 24 * 3_600_000);
    const late = await suite.send('GET', '/health/ready');
    expect(late.status).toBe(503);
    expect(late.json().error['certificates issuer'].reason).toMatch(/no intermediate/);
    const token = await suite.token();
    const backend = suite.backends.register('tenant-a');
    const refused = await suite.send('POST', `/certs/issue/backend/${backend}`, { token });
    expect([refused.status, refused.json().code]).toEqual([503, 'ca-unavailable']);
    await suite.stop();
  });
});
