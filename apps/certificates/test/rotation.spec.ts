import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromPem, toPem } from '@glacis/pki';
import { openssl, temporaryFolder } from '@glacis/testbed';
import { markLeavesOfRevoked } from '../src/authority/leaves-of-revoked.js';
import type { Services } from '../src/compose.js';
import { SERVICES } from '../src/tokens.js';
import { Suite } from './suite.js';

const hour = 3_600_000;
const day = 24 * hour;

interface Issuer {
  issuer_id: string;
  kind: string;
  state: string;
  root_id?: string;
}

describe('rotation of the CA', () => {
  let suite: Suite;
  let platform: string;

  beforeEach(async () => {
    suite = await Suite.start();
    platform = await suite.token(null, ['platform-admin']);
  });
  afterAll(() => Suite.stopAll());

  const check = (of = suite): Promise<void> =>
    of.app.get<Services>(SERVICES, { strict: false }).rotation.check();

  const issuers = async (of = suite): Promise<Issuer[]> =>
    (await of.send('GET', '/certs/ca/issuers', { token: platform })).json().issuers;

  const states = async (kind: string): Promise<string[]> =>
    (await issuers()).filter((each) => each.kind === kind).map((each) => each.state);

  const rotate = async (kind: string): Promise<Issuer[]> => {
    const body = { kind };
    const reply = await suite.send('POST', '/certs/ca/rotations', { token: platform, body });
    expect(reply.status).toBe(201);
    return reply.json().issuers;
  };

  /** The roots of `/certs/ca`, in PEM. */
  const roots = async (): Promise<string[]> =>
    fromPem((await suite.send('GET', '/certs/ca?only=roots')).text).map(({ der }) =>
      toPem('CERTIFICATE', der),
    );

  interface Verified {
    /** Content of `cert.pem`: the leaf, and what its holder sends along. */
    cert: string;
    trust: string;
    crls?: string;
  }

  /** What `openssl verify` says of a leaf whose holder sends its whole file, to a client with that trust. */
  async function verify({ cert, trust, crls }: Verified): Promise<string> {
    const folder = await temporaryFolder();
    const at = (name: string): string => join(folder, name);
    await writeFile(at('cert.pem'), cert);
    await writeFile(at('trust.pem'), trust);
    await writeFile(at('crls.pem'), crls ?? '');
    const time = String(Math.floor(suite.clock.now().getTime() / 1000));
    const checked = crls === undefined ? [] : ['-crl_check_all', '-CRLfile', at('crls.pem')];
    const args = ['-attime', time, '-x509_strict', ...checked, '-untrusted', at('cert.pem')];
    const said = await openssl(['verify', ...args, '-CAfile', at('trust.pem'), at('cert.pem')]);
    return said.stdout.toString() + said.stderr;
  }

  const allCrls = async (): Promise<string> => {
    const reply = await suite.send('GET', '/certs/crl?issuer=all&format=pem');
    expect(reply.status).toBe(200);
    return reply.text;
  };

  it('certificates.md 5: a next intermediate is published a day before it signs, and the old one goes on', async () => {
    const old = await suite.issued({ ttl: '240h' });
    const oldFiles = await suite.files(old.serial, old.token);
    const [next] = await rotate('intermediate');
    expect(next).toMatchObject({ kind: 'intermediate', state: 'pending' });
    expect(fromPem((await suite.send('GET', '/certs/ca')).text)).toHaveLength(3);
    const again = await suite.send('POST', '/certs/ca/rotations', { token: platform });
    expect([again.status, again.json().code]).toEqual([409, 'rotation-under-way']);

    const issuerOf = async (serial: string, token: string): Promise<string> =>
      (await suite.send('GET', `/certs/${serial}`, { token })).json().issuer_id;
    suite.clock.advance(day - 1);
    await check();
    const between = await suite.issued();
    expect(await issuerOf(between.serial, between.token)).not.toBe(next?.issuer_id);
    suite.clock.advance(1);
    const replica = await suite.replica();
    expect(await states('intermediate')).toEqual(['retired', 'current']);
    const after = await suite.issued();
    expect(await issuerOf(after.serial, after.token)).toBe(next?.issuer_id);

    // Both verify, with the CRLs of both, by either replica.
    const trust = (await roots()).join('');
    const crls = await allCrls();
    for (const { serial, token } of [old, after]) {
      const { certificate, ca } = await replica.files(serial, token);
      expect(await verify({ cert: certificate, trust, crls })).toMatch(/: OK/);
      expect(await verify({ cert: certificate, trust: ca })).toMatch(/: OK/);
    }
    expect((await suite.files(old.serial, old.token)).certificate).toBe(oldFiles.certificate);
    await suite.send('PATCH', `/certs/${old.serial}/revoke`, { token: old.token });
    const revoked = await verify({ cert: oldFiles.certificate, trust, crls: await allCrls() });
    expect(revoked).toContain('certificate revoked');

    // Once its last leaf has ended it is out of service.
    suite.clock.advance(95 * day);
    await check();
    expect(await states('intermediate')).toEqual(['ended', 'current']);
    expect(fromPem((await suite.send('GET', '/certs/ca')).text)).toHaveLength(2);
  });

  it('bug: a look at the responders that began before a rotation dropped those of the new CA', async () => {
    const { responders, authority } = suite.app.get<Services>(SERVICES, { strict: false });
    const before = authority.cas;
    const [next] = await rotate('intermediate');
    await responders.refresh(before);
    expect(responders.of(next!.issuer_id)).toBeDefined();
  });

  it('certificates.md 5: what is due is made by itself, never a second one while one waits', async () => {
    const life = 730 * day;
    suite.clock.advance(life / 2 - day);
    await check();
    expect(await states('intermediate')).toEqual(['current']);
    suite.clock.advance(2 * day);
    await check();
    await check();
    expect(await states('intermediate')).toEqual(['current', 'pending']);
    await suite.issued();
    suite.clock.advance(day);
    await check();
    await check();
    expect(await states('intermediate')).toEqual(['retired', 'current']);
  });

  it('after a long sleep a new intermediate signs at once', async () => {
    suite.clock.advance(3 * 365 * day);
    await check();
    expect(await states('intermediate')).toEqual(['retired', 'current']);
    expect((await suite.send('GET', '/health/ready')).status).toBe(200);
    await suite.issued();
  });

  it('certificates.md 16.8: during a root rotation openssl verifies with the old root alone and with the new one alone', async () => {
    const before = await suite.issued({ ttl: '2400h' });
    const beforeFiles = await suite.files(before.serial, before.token);
    expect(fromPem(beforeFiles.certificate)).toHaveLength(2);
    const [oldRoot] = await roots();
    await rotate('root');
    const [, newRoot] = await roots();

    const pending = await suite.issued({ ttl: '2400h' });
    suite.clock.advance(day);
    await check();
    expect(await states('root')).toEqual(['retired', 'current']);
    const after = await suite.issued({ ttl: '4800h' });
    for (const { serial, token } of [pending, after]) {
      const { certificate, ca } = await suite.files(serial, token);
      expect(fromPem(certificate)).toHaveLength(3);
      for (const trust of [oldRoot, newRoot, ca]) {
        expect(await verify({ cert: certificate, trust: trust ?? '' })).toMatch(/: OK/);
      }
      const crls = await allCrls();
      expect(await verify({ cert: certificate, trust: newRoot ?? '', crls })).toMatch(/: OK/);
      expect(await verify({ cert: certificate, trust: oldRoot ?? '', crls })).toMatch(/: OK/);
    }
    const still = await suite.files(before.serial, before.token);
    expect(still.certificate).toBe(beforeFiles.certificate);
    expect(await verify({ cert: still.certificate, trust: still.ca })).toMatch(/: OK/);

    suite.clock.advance(101 * day);
    await check();
    expect(await states('root')).toEqual(['ended', 'current']);
    expect(await roots()).toEqual([newRoot]);
    const last = await suite.files((await suite.issued()).serial, before.token);
    expect(fromPem(last.certificate)).toHaveLength(2);
    expect((await suite.files(before.serial, before.token)).certificate).toBe(
      beforeFiles.certificate,
    );
  });

  describe('when the key of an intermediate is compromised', () => {
    const revoke = (id: string | undefined): Promise<{ status: number }> =>
      suite.send('PATCH', `/certs/ca/${id}/revoke`, { token: platform });

    it('certificates.md 16.9: one event, every read says revoked, another signs at once', async () => {
      const issued = [await suite.issued(), await suite.issued()];
      const [one] = issued;
      const { certificate } = await suite.files(one!.serial, one!.token);
      const replica = await suite.replica();
      const trust = (await roots()).join('');
      const bad = (await issuers()).find(({ kind }) => kind === 'intermediate');
      suite.clock.advance(1_000);
      expect((await revoke(bad?.issuer_id)).status).toBe(200);
      expect((await revoke(bad?.issuer_id)).status).toBe(200);

      const events = await suite.store.query<{ envelope: string }>(
        `SELECT envelope FROM outbox WHERE envelope::json->>'type' LIKE '%revoked'`,
      );
      expect(events.map((row) => JSON.parse(row.envelope))).toMatchObject([
        { type: 'issuer.revoked', data: { issuer_id: bad?.issuer_id, reason: 2 } },
      ]);
      const listed = await suite.send('GET', '/certs?status=revoked', { token: one!.token });
      expect(listed.json().total).toBe(2);
      for (const { serial, token } of issued) {
        const view = (await replica.send('GET', `/certs/${serial}`, { token })).json();
        expect(view).toMatchObject({ status: 'revoked', revocation_reason: 'cACompromise' });
        const renewed = await suite.send('PATCH', `/certs/${serial}/renew`, { token });
        expect(renewed.json().code).toBe('certificate-revoked');
      }
      expect(await verify({ cert: certificate, trust, crls: await allCrls() })).toContain(
        'certificate revoked',
      );
      const { serial, token } = await suite.issued();
      const fresh = await suite.files(serial, token);
      expect(await verify({ cert: fresh.certificate, trust: fresh.ca })).toMatch(/: OK/);
      expect(fresh.ca).not.toContain(toPem('CERTIFICATE', fromPem(certificate)[1]!.der));
      expect(await states('intermediate')).toEqual(['revoked', 'current']);
    });

    it('OCSP says revoked with cACompromise, and the rows are marked in the end', async () => {
      const { serial, token } = await suite.issued();
      const body = { serial_number: serial };
      const ask = async (): Promise<string> => {
        const { bytes } = await suite.send('POST', '/certs/ocsp', { body });
        const file = join(await temporaryFolder(), 'response.der');
        await writeFile(file, bytes);
        return (
          await openssl(['ocsp', '-respin', file, '-resp_text', '-noverify'])
        ).stdout.toString();
      };
      expect(await ask()).toContain('Cert Status: good');
      const bad = (await issuers()).find(({ kind }) => kind === 'intermediate');
      await revoke(bad?.issuer_id);
      expect(await ask()).toMatch(/Cert Status: revoked[\s\S]*Reason: cACompromise/);
      await markLeavesOfRevoked(suite.store, suite.clock);
      const rows = await suite.store.query('SELECT status, revocation_reason FROM certificates');
      expect(rows).toEqual([{ status: 'revoked', revocation_reason: 2 }]);
      expect((await suite.send('GET', `/certs/${serial}`, { token })).json()).toMatchObject({
        revocation_reason: 'cACompromise',
      });
    });

    it('an issue that signed with it a moment before writes nothing', async () => {
      const replica = await suite.replica();
      const { authority } = replica.app.get<Services>(SERVICES, { strict: false });
      const { cas } = authority;
      await revoke((await issuers())[1]?.issuer_id);
      // As if the news had not arrived yet.
      authority.cas = cas;
      const token = await suite.token();
      const backend = suite.backends.register('tenant-a');
      const reply = await replica.send('POST', `/certs/issue/backend/${backend}`, { token });
      expect([reply.status, reply.json().code]).toEqual([503, 'ca-unavailable']);
      await authority.refresh();
      expect(
        (await replica.send('POST', `/certs/issue/backend/${backend}`, { token })).status,
      ).toBe(201);
    });
  });

  it('only platform administrators see and change the CAs', async () => {
    const token = await suite.token('tenant-a', ['admin']);
    for (const [verb, path] of [
      ['GET', '/certs/ca/issuers'],
      ['POST', '/certs/ca/rotations'],
      ['PATCH', `/certs/ca/${'0'.repeat(32)}/revoke`],
    ] as const) {
      expect((await suite.send(verb, path, { token })).status).toBe(403);
    }
    const unknown = `/certs/ca/${'0'.repeat(32)}/revoke`;
    expect((await suite.send('PATCH', unknown, { token: platform })).status).toBe(404);
    const [root] = await issuers();
    const ofRoot = `/certs/ca/${root?.issuer_id}/revoke`;
    expect((await suite.send('PATCH', ofRoot, { token: platform })).status).toBe(404);
    const body = { kind: 'root', overlap: '1h' };
    const soon = await suite.send('POST', '/certs/ca/rotations', { token: platform, body });
    expect([soon.status, soon.json().field]).toEqual([400, 'overlap']);
  });
});
