import { createHash } from 'node:crypto';
import type { CloudEvent, Revocation } from '@glacis/contracts';
import { EventContext } from '@glacis/events';
import { Store, type Tx } from '@glacis/store';
import { fromPem, readCertificate } from '@glacis/pki';
import type { Services } from '../src/compose.js';
import { BackendDeletedController } from '../src/revocation/backend-deleted.controller.js';
import { SERVICES } from '../src/tokens.js';
import { makeCsr } from './csr.js';
import { Suite } from './suite.js';

const byText = (a: string, b: string): number => (a < b ? -1 : 1);

interface OutboxEvent {
  type: string;
  subject: string;
  tenant: string;
  data: Record<string, unknown>;
}

describe('life of a certificate', () => {
  let suite: Suite;
  let token: string;

  beforeAll(async () => {
    suite = await Suite.start();
    token = await suite.token();
  });
  afterAll(() => Suite.stopAll());

  const rpc = () => suite.directory.client('certificates');

  async function lastSequence(): Promise<number> {
    const [row] = await suite.store.query<{ last: string | null }>(
      `SELECT max(revocation_seq) AS last FROM
         (SELECT revocation_seq FROM certificates UNION ALL SELECT revocation_seq FROM issuers) r`,
    );
    return Number(row?.last ?? 0);
  }

  /** The next so many revocations after a sequence, as whoever watches hears of them. */
  async function watched(after: number, count: number): Promise<Revocation[]> {
    const found: Revocation[] = [];
    const news = rpc().watchRevocations({ after }, AbortSignal.timeout(20_000));
    for await (const { revocation } of news) {
      if (revocation) found.push(revocation);
      if (found.length === count) break;
    }
    return found;
  }

  async function eventsOf(...serials: string[]): Promise<OutboxEvent[]> {
    const rows = await suite.store.query<{ envelope: string }>(
      'SELECT envelope FROM outbox WHERE key = ANY($1) ORDER BY seq',
      [serials],
    );
    return rows.map((row) => JSON.parse(row.envelope) as OutboxEvent);
  }

  async function auditOf(serial: string): Promise<Record<string, unknown>[]> {
    return suite.store.query(
      'SELECT actor, tenant, action, request_id, detail FROM audit WHERE subject = $1 ORDER BY at',
      [serial],
    );
  }

  const renew = async (serial: string, body?: unknown): Promise<string> => {
    const reply = await suite.send('PATCH', `/certs/${serial}/renew`, { token, body });
    expect(reply.status).toBe(200);
    return String(reply.headers.location).slice('/certs/'.length);
  };
  const revoke = (serial: string, body?: unknown) =>
    suite.send('PATCH', `/certs/${serial}/revoke`, { token, body });
  const view = async (serial: string) =>
    (await suite.send('GET', `/certs/${serial}`, { token })).json();

  it('issue, renewal, revocation and download leave event and audit entry with the caller', async () => {
    const { serial, backend } = await suite.issued();
    await suite.files(serial, token);
    const successor = await renew(serial, { revoke_old: true });
    const [issued, renewed, revoked] = await eventsOf(serial, successor);
    expect(issued).toMatchObject({
      type: 'certificate.issued',
      subject: serial,
      tenant: 'tenant-a',
      data: { serial_number: serial, entity_type: 'backend', entity_id: backend, source: 'server' },
    });
    expect(renewed).toMatchObject({
      type: 'certificate.renewed',
      data: { serial_number: successor, replaces: serial, old_revoked: true },
    });
    expect(revoked).toMatchObject({
      type: 'certificate.revoked',
      data: { serial_number: serial, reason: 4, sequence: expect.any(Number) },
    });
    const audit = await auditOf(serial);
    expect(audit.map((entry) => entry['action'])).toEqual([
      'certificate.issue',
      'certificate.download',
      'certificate.revoke',
    ]);
    for (const entry of audit) expect(entry).toMatchObject({ actor: 'tester', tenant: 'tenant-a' });
    expect(await auditOf(successor)).toMatchObject([{ action: 'certificate.renew' }]);
  });

  it('certificates.md 16.3: renewal gives a new serial for the same key, names and life; the old stays good', async () => {
    const { serial } = await suite.issued({
      ttl: '240h',
      ip_addresses: ['192.168.44.4'],
      options: { organization: ['Acme'], country: ['NL'] },
    });
    const successor = await renew(serial);
    expect(successor).not.toBe(serial);
    const [old, fresh] = [await view(serial), await view(successor)];
    expect(old).toMatchObject({ status: 'valid', renewed_to: successor });
    expect(fresh).toMatchObject({ status: 'valid', renewed_from: serial, has_key: true });
    const [a, b] = [old, fresh].map((each) => readCertificate(fromPem(each.certificate)[0]!.der));
    expect(b!.spki.equals(a!.spki)).toBe(true);
    expect(b!.subjectDer.equals(a!.subjectDer)).toBe(true);
    expect(b!.ipAddresses).toEqual(['192.168.44.4']);
    expect(b!.uris).toEqual(a!.uris);
    expect(b!.notAfter.getTime() - b!.notBefore.getTime()).toBe(240 * 3_600_000 + 60_000);
    expect(await renew(serial)).not.toBe(successor);
  });

  it('certificates.md 16.3: revoke_old ends the old one, revoked is refused, CSR-issued works', async () => {
    const { csr } = await makeCsr({ key: ['-algorithm', 'ED25519'] });
    const backend = suite.backends.register('tenant-a');
    const issued = await suite.send('POST', `/certs/csrs/${backend}?ttl=48h`, {
      token,
      body: { csr: Buffer.from(csr).toString('base64') },
    });
    const serial = issued.json().serial_number;
    const reply = await suite.send('PATCH', `/certs/${serial}/renew?revoke_old=true&ttl=24h`, {
      token,
    });
    expect(reply.status).toBe(200);
    expect(await view(serial)).toMatchObject({
      status: 'revoked',
      revocation_reason: 'superseded',
      key_algorithm: 'Ed25519',
      has_key: false,
    });
    const refused = await suite.send('PATCH', `/certs/${serial}/renew`, { token });
    expect([refused.status, refused.json().code]).toEqual([409, 'certificate-revoked']);
  });

  it('of parallel renewals with revoke_old one wins', async () => {
    const { serial } = await suite.issued();
    const replies = await Promise.all(
      Array.from({ length: 6 }, () =>
        suite.send('PATCH', `/certs/${serial}/renew?revoke_old=true`, { token }),
      ),
    );
    const statuses = replies.map((reply) => reply.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(5);
  });

  it.each([
    ['weak key', { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] }],
    ['other curve', { key: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] }],
    ['CA request', { extensions: ['basicConstraints=critical,CA:TRUE'] }],
  ])('a CSR with a %s is rejected', async (_, options) => {
    const { csr } = await makeCsr(options);
    const backend = suite.backends.register('tenant-a');
    const reply = await suite.send('POST', `/certs/csrs/${backend}`, { token, body: { csr } });
    expect([reply.status, reply.json().code]).toEqual([422, 'csr-rejected']);
    const foreign = suite.backends.register('tenant-b');
    const unknown = await suite.send('POST', `/certs/csrs/${foreign}`, { token, body: { csr } });
    expect([unknown.status, unknown.json().code]).toEqual([404, 'not-found']);
  });

  it('a CSR gives key and names, never subject, URI or usages', async () => {
    const { csr } = await makeCsr({
      extensions: [
        'subjectAltName=DNS:Given.example.net,IP:192.168.4.4,URI:spiffe://evil/x,email:a@b.c',
        'keyUsage=keyEncipherment',
      ],
    });
    const backend = suite.backends.register('tenant-a');
    const reply = await suite.send('POST', `/certs/csrs/${backend}`, { token, body: { csr } });
    expect(Object.keys(reply.json())).toEqual([
      'serial_number',
      'certificate',
      'revoked',
      'expiry_time',
      'entity_id',
    ]);
    const leaf = readCertificate(fromPem(reply.json().certificate)[0]!.der);
    expect(leaf).toMatchObject({
      dnsNames: ['given.example.net'],
      ipAddresses: ['192.168.4.4'],
      uris: [`spiffe://glacis.local/tenant/tenant-a/backend/${backend}`],
      keyUsages: ['digitalSignature'],
    });
  });

  it('certificates.md 16.4: revocation is told once; keyCompromise replaces a weaker reason, the date stays', async () => {
    const { serial } = await suite.issued();
    await revoke(serial, { reason: 'affiliationChanged' });
    const first = await view(serial);
    expect(first).toMatchObject({ revoked: true, revocation_reason: 'affiliationChanged' });
    expect(first.expiry_time).toBe(first.revoked_at);
    await revoke(serial, { reason: 9 });
    expect((await view(serial)).revocation_reason).toBe('affiliationChanged');
    suite.clock.advance(10_000);
    await revoke(serial, { reason: 'keyCompromise' });
    const stronger = await view(serial);
    expect(stronger.revocation_reason).toBe('keyCompromise');
    expect(stronger.revoked_at).toBe(first.revoked_at);
    const told = (await eventsOf(serial)).filter((event) => event.type === 'certificate.revoked');
    expect(told.map((event) => event.data['reason'])).toEqual([3, 1]);
  });

  describe('bug: a key whose certificate was revoked for keyCompromise could be certified again', () => {
    const refused = { code: 'key-compromised', field: 'csr', status: 422 };
    const stolen = { reason: 'keyCompromise' };

    it('by a CSR for any entity of any tenant, on every replica', async () => {
      const { csr } = await makeCsr();
      const { serial } = await issuedFor(csr);
      expect((await issuedFor(csr)).serial).toBeDefined();
      await revoke(serial, stolen);
      const replica = await suite.replica();
      for (const at of [suite, replica]) {
        for (const tenant of ['tenant-a', 'tenant-b']) {
          expect((await sendCsr(csr, { tenant, at })).json()).toMatchObject(refused);
        }
      }
      expect((await sendCsr((await makeCsr()).csr)).status).toBe(201);
      await replica.stop();
    });

    it('by renewal of another certificate of the key', async () => {
      const { csr } = await makeCsr();
      const { serial } = await issuedFor(csr);
      const other = await issuedFor(csr);
      await revoke(serial, { reason: 'superseded' });
      expect((await suite.send('PATCH', `/certs/${other.serial}/renew`, { token })).status).toBe(
        200,
      );
      await revoke(serial, stolen);
      const reply = await suite.send('PATCH', `/certs/${other.serial}/renew`, { token });
      expect(reply.json()).toMatchObject({ ...refused, field: 'serial' });
      expect(await view(other.serial)).toMatchObject({ status: 'valid' });
    });

    it('for a service, for a VM, and after its row is purged', async () => {
      const { csr } = await makeCsr();
      const { serial, backend } = await issuedFor(csr);
      await suite.directory.client('certificates').revokeEntity({
        tenant: 'tenant-a',
        entityType: 'backend',
        entityId: backend,
        reason: 1,
      });
      await suite.store.query('DELETE FROM certificates WHERE serial = $1', [serial]);
      const der = fromPem(csr)[0]?.der ?? Buffer.alloc(0);
      const names = { dnsNames: [], ipAddresses: [] };
      await expect(
        rpc().issueService({ csr: der, service: 'jobs', ...names }),
      ).rejects.toMatchObject({ reason: 'key-compromised' });
      await expect(
        rpc().issueVm({
          csr: der,
          tenant: 'tenant-a',
          vmId: 'vm',
          ttlSeconds: 0,
          requestedBy: 'service:backends',
        }),
      ).rejects.toMatchObject({ reason: 'key-compromised' });
    });

    it('beside it in the same batch others are issued', async () => {
      const { csr } = await makeCsr();
      await revoke((await issuedFor(csr)).serial, stolen);
      const others = await Promise.all([1, 2, 3].map(async () => (await makeCsr()).csr));
      const replies = await Promise.all([csr, ...others].map((each) => sendCsr(each)));
      expect(replies.map(({ status }) => status)).toEqual([422, 201, 201, 201]);
    });

    async function sendCsr(csr: string, { tenant = 'tenant-a', at = suite } = {}) {
      const backend = suite.backends.register(tenant);
      const reply = await at.send('POST', `/certs/csrs/${backend}`, {
        token: await suite.token(tenant),
        body: { csr },
      });
      return { ...reply, backend };
    }
    async function issuedFor(csr: string): Promise<{ serial: string; backend: string }> {
      const { backend, ...reply } = await sendCsr(csr);
      return { serial: reply.json().serial_number, backend };
    }
  });

  it('parallel revocations of one serial are one revocation', async () => {
    const { serial } = await suite.issued();
    const replies = await Promise.all(Array.from({ length: 20 }, () => revoke(serial)));
    expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set([200]));
    const told = (await eventsOf(serial)).filter((event) => event.type === 'certificate.revoked');
    expect(told).toHaveLength(1);
  });

  it('another tenant revokes nothing, not even beside the owner', async () => {
    const { serial } = await suite.issued();
    const stranger = await suite.token('tenant-b');
    const replies = await Promise.all([
      ...Array.from({ length: 10 }, () =>
        suite.send('PATCH', `/certs/${serial}/revoke`, { token: stranger }),
      ),
      revoke(serial),
      suite.send('PATCH', `/certs/${serial}/revoke`, { token: stranger }),
    ]);
    expect(replies.map((reply) => reply.status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 11 }, () => 404),
    ]);
    expect((await auditOf(serial)).at(-1)).toMatchObject({ tenant: 'tenant-a' });
  });

  it('certificates.md 16.4: revoke-all is one transaction with one event per serial, sequences without gaps in order', async () => {
    const backend = suite.backends.register('tenant-a');
    const serials: string[] = [];
    for (let i = 0; i < 5; i++) {
      const reply = await suite.send('POST', `/certs/issue/backend/${backend}`, { token });
      serials.push(reply.json().serial_number);
    }
    const before = await lastSequence();
    const { serialNumbers } = await rpc().revokeEntity({
      tenant: 'tenant-a',
      entityType: 'backend',
      entityId: backend,
      reason: 5,
    });
    expect(serialNumbers.toSorted(byText)).toEqual(serials.toSorted(byText));
    const revocations = await watched(before, 5);
    expect(revocations.map((each) => each.serialNumber ?? '').toSorted(byText)).toEqual(
      serials.toSorted(byText),
    );
    const sequences = revocations.map((each) => each.sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    const told = (await eventsOf(...serials)).filter((each) => each.type === 'certificate.revoked');
    expect(told).toHaveLength(5);
    const again = await rpc().revokeEntity({
      tenant: 'tenant-a',
      entityType: 'backend',
      entityId: backend,
      reason: 5,
    });
    expect(again.serialNumbers).toEqual([]);
  });

  it('an issuer revoked stands in the same sequence, without a serial', async () => {
    const { store } = suite;
    const before = await lastSequence();
    await store.query(
      `UPDATE issuers SET revoked_at = $1, revocation_reason = 2,
         revocation_seq = nextval('revocation_sequence') WHERE kind = 'root'`,
      [suite.clock.now()],
    );
    const { serial } = await suite.issued();
    await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    const revocations = await watched(before, 2);
    expect(revocations).toMatchObject([{ reason: 2, revokedAt: suite.clock.now() }, { reason: 0 }]);
    expect(revocations.map((each) => each.serialNumber)).toEqual([undefined, serial]);
    await store.query(`UPDATE issuers SET revoked_at = NULL, revocation_seq = NULL`);
  });

  it('certificates.md 16.4: no signature is made by revoke-all', async () => {
    const { authority, responders } = suite.app.get<Services>(SERVICES, { strict: false });
    const backend = suite.backends.register('tenant-a');
    for (let i = 0; i < 20; i++) {
      await suite.send('POST', `/certs/issue/backend/${backend}`, { token });
    }
    await suite.send('GET', '/certs/crl');
    let signatures = 0;
    const cas = authority.cas.all;
    const signers = [
      ...cas.map((ca) => ca.issuer).filter((each) => each !== null),
      ...cas.map((ca) => responders.of(ca.id)).filter((each) => each !== undefined),
    ];
    for (const signer of signers) {
      const key = signer.privateKey;
      Object.defineProperty(signer, 'privateKey', { get: () => ((signatures += 1), key) });
    }
    await suite.send('DELETE', `/certs/${backend}/delete`, { token });
    const listed = await suite.send('GET', `/certs?entity_id=${backend}&status=revoked`, { token });
    expect([listed.json().total, signatures]).toEqual([20, 0]);
    await suite.send('GET', '/certs/crl');
    expect(signatures).toBeGreaterThan(0);
  });

  it('revoke-all takes the lock after it has read, and then writes each table once for all', async () => {
    const backend = suite.backends.register('tenant-a');
    for (let i = 0; i < 3; i++) {
      await suite.send('POST', `/certs/issue/backend/${backend}`, { token });
    }
    const store = suite.app.get(Store, { strict: false });
    const transaction = store.transaction.bind(store);
    const seen: string[][] = [];
    store.transaction = (work) =>
      transaction((tx) => {
        const statements: string[] = [];
        seen.push(statements);
        const query: typeof tx.query = (sql, params) => {
          statements.push(/pg_advisory|UPDATE \w+|INSERT INTO \w+/.exec(sql)?.[0] ?? 'read');
          return tx.query(sql, params);
        };
        return work({ query, afterCommit: (run) => tx.afterCommit(run) });
      });
    const reply = await suite.send('DELETE', `/certs/${backend}/delete`, { token });
    store.transaction = transaction;
    expect(reply.status).toBe(204);
    expect(seen.find((statements) => statements.includes('UPDATE certificates'))).toEqual([
      'read',
      'pg_advisory',
      'UPDATE certificates',
      'INSERT INTO crl_entries',
      'INSERT INTO outbox',
      'INSERT INTO audit',
    ]);
  });

  /** Rows that the connection of a transaction has read of the tables that grow with revocations. */
  async function rowsRead(tx: Tx): Promise<number> {
    const [row] = await tx.query<{ read: string }>(
      `SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0) AS read
       FROM pg_stat_xact_user_tables WHERE relname IN ('certificates', 'crl_entries')`,
    );
    return Number(row?.read);
  }

  it('certificates.md 16.4: a revocation costs the same with ten and with many revoked', async () => {
    const other = await Suite.start();
    const store = other.app.get(Store, { strict: false });
    const transaction = store.transaction.bind(store);
    let cost = { statements: 0, rows: 0 };
    store.transaction = (work) =>
      transaction(async (tx) => {
        let statements = 0;
        const query: typeof tx.query = (sql, params) => {
          statements += 1;
          return tx.query(sql, params);
        };
        const before = await rowsRead(tx);
        const result = await work({ query, afterCommit: (run) => tx.afterCommit(run) });
        cost = { statements, rows: (await rowsRead(tx)) - before };
        return result;
      });
    const costOfOne = async (): Promise<typeof cost> => {
      const { serial, token: owner } = await other.issued();
      await other.store.query('ANALYZE certificates, crl_entries');
      const reply = await other.send('PATCH', `/certs/${serial}/revoke`, { token: owner });
      expect(reply.status).toBe(200);
      return cost;
    };
    for (let i = 0; i < 10; i++) await costOfOne();
    const few = await costOfOne();
    await other.store.query(
      `INSERT INTO certificates SELECT (jsonb_populate_record(c, jsonb_build_object('serial', n,
         'revocation_seq', nextval('revocation_sequence'), 'key_id', NULL))).*
       FROM (SELECT c FROM certificates c WHERE status = 'revoked' LIMIT 1) AS one (c),
         generate_series(1, 5000) AS n`,
    );
    const many = await costOfOne();
    expect(many.statements).toBe(few.statements);
    expect(many.rows).toBeLessThanOrEqual(few.rows);
    await other.stop();
  });

  it('who follows the sequence misses no revocation of two replicas', async () => {
    const replica = await suite.replica();
    const issued = await Promise.all(Array.from({ length: 60 }, () => suite.issued()));
    const start = await lastSequence();
    const follower = watched(start, issued.length);
    await Promise.all(
      issued.map(({ serial }, i) =>
        (i % 2 ? suite : replica).send('PATCH', `/certs/${serial}/revoke`, { token }),
      ),
    );
    const seen = (await follower).map((each) => each.serialNumber ?? '');
    expect(seen.toSorted(byText)).toEqual(issued.map(({ serial }) => serial).toSorted(byText));
    await replica.stop();
  });

  it('backend.deleted revokes what is left, once', async () => {
    const { serial, backend } = await suite.issued();
    const other = await suite.issued();
    const event: CloudEvent<'backend.deleted'> = {
      specversion: '1.0',
      id: 'event-1',
      source: '/backends',
      type: 'backend.deleted',
      subject: backend,
      time: suite.clock.now().toISOString(),
      tenant: 'tenant-a',
      dataversion: 1,
      datacontenttype: 'application/json',
      data: { backend_id: backend, name: 'n', address: '', changed: [] },
    };
    const handler = suite.app.get(BackendDeletedController, { strict: false });
    for (let attempt = 1; attempt <= 2; attempt++) {
      await suite.store.transaction((tx) =>
        handler.revokeRest(event, new EventContext(tx, event, attempt, 'trace')),
      );
    }
    expect(await view(serial)).toMatchObject({ revocation_reason: 'cessationOfOperation' });
    expect((await view(other.serial)).status).toBe('valid');
    const told = (await eventsOf(serial)).filter((each) => each.type === 'certificate.revoked');
    expect(told).toHaveLength(1);
  });

  it('a renewal beside revoke-all leaves no valid certificate', async () => {
    for (let round = 0; round < 8; round++) {
      const { serial, backend } = await suite.issued();
      const renewing = Array.from({ length: 4 }, () =>
        suite.send('PATCH', `/certs/${serial}/renew`, { token }),
      );
      const revoking = suite.send('DELETE', `/certs/${backend}/delete`, { token });
      const statuses = (await Promise.all(renewing)).map((reply) => reply.status);
      expect((await revoking).status).toBe(204);
      expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
      const path = `/certs?entity_id=${backend}&status=valid`;
      expect((await suite.send('GET', path, { token })).json().total).toBe(0);
    }
  });

  it.each([
    ['issue', (backend: string) => `/certs/issue/backend/${backend}`, {}],
    ['CSR', (backend: string) => `/certs/csrs/${backend}`, { 'idempotency-key': 'ended' }],
  ])('%s beside the deletion of its backend writes nothing', async (_, path, headers) => {
    const backend = suite.backends.register('tenant-a');
    const { csr } = await makeCsr();
    suite.backends.beforeAnswer = () =>
      rpc().revokeEntity({
        tenant: 'tenant-a',
        entityType: 'backend',
        entityId: backend,
        reason: 5,
      });
    const reply = await suite.send('POST', path(backend), { token, headers, body: { csr } });
    suite.backends.beforeAnswer = async () => undefined;
    expect([reply.status, reply.json().code]).toEqual([404, 'not-found']);
    const listed = await suite.send('GET', `/certs?entity_id=${backend}`, { token });
    expect(listed.json().total).toBe(0);
    expect((await suite.issued()).serial).toBeTruthy();
  });

  it('resolve tells admission everything, in each spelling of the serial', async () => {
    const { serial, backend } = await suite.issued();
    const files = await suite.files(serial, token);
    const [leaf = ''] = files.certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
    const sha512 = (text: string) => createHash('sha512').update(text).digest();
    const expected = {
      entityId: backend,
      entityType: 'backend',
      tenant: 'tenant-a',
      status: 'valid',
      fingerprintSha256: createHash('sha256').update(fromPem(leaf)[0]!.der).digest('hex'),
      certFileSha512: [sha512(files.certificate), sha512(leaf)],
    };
    for (const serialNumber of [serial, `0x${BigInt(serial).toString(16)}`]) {
      expect(await rpc().resolve({ serialNumber })).toMatchObject(expected);
    }
    await revoke(serial);
    expect((await rpc().resolve({ serialNumber: serial })).status).toBe('revoked');
    for (const serialNumber of ['1', 'x', '', '9'.repeat(60)]) {
      await expect(rpc().resolve({ serialNumber })).rejects.toMatchObject({ reason: 'not-found' });
    }
  });

  it('backends.md 8: issueVm gives a VM a certificate of type cvm, as long as its life', async () => {
    const { csr } = await makeCsr();
    const vmId = '0190a000-0000-7000-8000-000000000001';
    const wish = {
      csr: fromPem(csr)[0]!.der,
      tenant: 'tenant-a',
      vmId,
      ttlSeconds: 600,
      requestedBy: 'service:backends',
    };
    const { chainPem, notAfter } = await rpc().issueVm(wish);
    const leaf = readCertificate(fromPem(chainPem)[0]!.der);
    expect(leaf.extKeyUsages).toHaveLength(1);
    expect(notAfter.getTime()).toBeGreaterThan(Date.now() + 540_000);
    expect(notAfter.getTime()).toBeLessThan(Date.now() + 660_000);
    expect(await rpc().resolve({ serialNumber: String(leaf.serial) })).toMatchObject({
      entityType: 'cvm',
      entityId: vmId,
      tenant: 'tenant-a',
      status: 'valid',
    });
    await expect(rpc().issueVm({ ...wish, requestedBy: 'service:jobs' })).rejects.toMatchObject({
      reason: 'forbidden',
    });
    await expect(rpc().issueVm({ ...wish, csr: Buffer.from('x') })).rejects.toMatchObject({
      reason: 'malformed',
    });
  });

  it('jobs.md 11.10: issueParty gives a party a certificate for both sides of a link, until it is ended', async () => {
    const { csr } = await makeCsr();
    const partyId = '0190a000-0000-7000-8000-000000000002';
    const wish = {
      csr: fromPem(csr)[0]!.der,
      tenant: 'tenant-a',
      partyId,
      ttlSeconds: 18_000,
      requestedBy: 'service:jobs',
    };
    const { chainPem } = await rpc().issueParty(wish);
    const leaf = readCertificate(fromPem(chainPem)[0]!.der);
    expect(leaf.extKeyUsages).toHaveLength(2);
    expect(leaf.uris).toEqual([`spiffe://glacis.local/tenant/tenant-a/party/${partyId}`]);
    const serialNumber = String(leaf.serial);
    expect(await rpc().resolve({ serialNumber })).toMatchObject({ entityType: 'party' });
    const entity = { tenant: 'tenant-a', entityType: 'party', entityId: partyId, reason: 5 };
    expect(await rpc().revokeEntity(entity)).toEqual({ serialNumbers: [serialNumber] });
    await expect(rpc().issueParty({ ...wish, requestedBy: 'service:x' })).rejects.toMatchObject({
      reason: 'forbidden',
    });
  });

  it('issueService gives our servers certificates that tenants neither see nor touch', async () => {
    const { csr } = await makeCsr();
    const issued = await rpc().issueService({
      csr: fromPem(csr)[0]!.der,
      service: 'backends',
      dnsNames: ['listener.test'],
      ipAddresses: ['192.0.2.55'],
    });
    const leaf = readCertificate(fromPem(issued.chainPem)[0]!.der);
    expect(leaf).toMatchObject({ dnsNames: ['listener.test'], ipAddresses: ['192.0.2.55'] });
    expect(leaf.extKeyUsages).toHaveLength(2);
    expect(fromPem(issued.caPem)).toHaveLength(2);
    const reply = await suite.send('GET', `/certs/${leaf.serial}`, { token });
    expect(reply.status).toBe(404);
    for await (const bundle of rpc().trustBundle({}, AbortSignal.timeout(10_000))) {
      expect(bundle.caPem).toBe(issued.caPem);
      expect(issued.caPem.startsWith(bundle.rootsPem)).toBe(true);
      break;
    }
    await expect(
      rpc().issueService({ csr: Buffer.from('x'), service: 's', dnsNames: [], ipAddresses: [] }),
    ).rejects.toMatchObject({ reason: 'malformed' });
  });
});
