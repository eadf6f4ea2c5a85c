import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, testDatabase, type TestDatabase } from '@glacis/testbed';
import { waitFor } from '@glacis/runtime';
import { FakeCertificates } from './fake-certificates.js';
import { FakeManager } from './fake-manager.js';
import { Stand, type Reply } from './stand.js';

let certificates: FakeCertificates;
let database: TestDatabase;
let stand: Stand;
let manager: FakeManager;
let files: { ca: string; certificate: string; key: string };
let admin: string;
let kekFile: string;

const settings = (): Record<string, string> => ({
  kekFile,
  vmTimeout: '400ms',
  vmConnectTimeout: '5s',
  agentUrl: 'glacis.example:7018',
  kbsHosts: '{"tenant-a":["kbs.example"]}',
});

beforeAll(async () => {
  kekFile = join(await temporaryFolder(), 'kek');
  await writeFile(kekFile, randomBytes(32));
  certificates = await FakeCertificates.create();
  database = await testDatabase();
  stand = await Stand.start(certificates, { databaseUrl: database.url, settings: settings() });
  manager = await FakeManager.start(certificates);
  const { ca, cert: certificate, key } = await certificates.issue('backends');
  files = { ca, certificate, key };
  admin = await stand.identity.bearer({ roles: ['admin'] });
});

afterAll(async () => {
  await manager.close();
  await stand.stop();
  await database.drop();
});

/** A host whose manager is the fake one. */
async function host(more: Record<string, unknown> = {}): Promise<string> {
  const id = await stand.backend();
  const body = { address: manager.address, ...files, ...more };
  const reply = await stand.send('PUT', `/backends/${id}/manager`, { authorization: admin, body });
  expect(reply.text).toBe('');
  return id;
}

let count = 0;
function create(hostId: string, more: Record<string, unknown> = {}): Promise<Reply> {
  count += 1;
  return stand.send('POST', `/backends/${hostId}/vms`, { body: { name: `vm ${count}`, ...more } });
}

async function created(hostId: string, more: Record<string, unknown> = {}): Promise<string> {
  const reply = await create(hostId, more);
  expect(reply.status).toBe(201);
  return String(reply.headers.location);
}

describe('backends.md 8: how a manager is called', () => {
  it('is set and shown without the key, which is stored encrypted', async () => {
    const id = await host({ platforms: ['sev_snp'], ttl: '1h' });
    const shown = await stand.send('GET', `/backends/${id}/manager`);
    const { ca, certificate } = files;
    expect(shown.json()).toMatchObject({
      address: manager.address,
      ca,
      certificate,
      ttl: '3600s',
      platforms: ['sev_snp'],
    });
    expect(shown.text).not.toContain('PRIVATE');
    const [row] = await stand.store.query<{ stored: string }>(
      'SELECT vm_managers::text AS stored FROM vm_managers WHERE backend_id = $1',
      [id],
    );
    expect(row?.stored).not.toContain('PRIVATE');
    expect(row?.stored).not.toContain(Buffer.from('PRIVATE').toString('hex'));
  });

  it('is for admins to set, of hosts of their own, and forgotten on demand', async () => {
    const id = await host();
    const path = `/backends/${id}/manager`;
    const body = { address: manager.address, ...files };
    expect((await stand.send('PUT', path, { body })).status).toBe(403);
    expect((await stand.send('PUT', path, { authorization: admin, body: {} })).status).toBe(400);
    const foreign = await stand.identity.bearer({ tenant: 'tenant-b', roles: ['admin'] });
    expect((await stand.send('PUT', path, { authorization: foreign, body })).status).toBe(404);
    expect((await stand.send('DELETE', path, { authorization: admin })).status).toBe(204);
    expect((await stand.send('GET', path)).status).toBe(404);
    expect((await create(id)).status).toBe(404);
  });
});

describe('backends.md 8: a VM', () => {
  it('is made with a certificate of type cvm as long as its life', async () => {
    const id = await host();
    const location = await created(id, { ttl: '20m', certs_token: 'token' });
    const vm = (await stand.send('GET', location)).json();
    expect(vm).toMatchObject({
      state: 'running',
      forwarded_port: '6100',
      cvm_id: expect.stringMatching(/^vm-/),
    });
    const request = manager.created.at(-1)!;
    expect(request).toMatchObject({
      agentLogLevel: 'info',
      agentCvmServerUrl: 'glacis.example:7018',
      ttl: '1200s',
      agentCertsToken: 'token',
    });
    const leaf = new X509Certificate(request.agentCvmClientCert);
    expect(leaf.checkPrivateKey(createPrivateKey(request.agentCvmClientKey))).toBe(true);
    const known = certificates.resolved.get(BigInt(`0x${leaf.serialNumber}`).toString());
    expect(known).toMatchObject({ entityType: 'cvm', entityId: vm.id, tenant: 'tenant-a' });
    expect(certificates.vms.at(-1)?.ttlSeconds).toBe(1_200);
    expect(await stand.show(String(vm.id))).toMatchObject({ entity_type: 'cvm', host: id });
    expect((await stand.send('GET', `/backends/${id}/vms`)).json()).toMatchObject({
      total: 1,
      vms: [{ id: vm.id, state: 'running' }],
    });
  });

  it.each([
    [{}, '600s', 600],
    [{ ttl: '1m' }, '60s', 300],
    [{ ttl: '' }, '', 0],
  ])('life of %j: %j, its certificate %d s', async (more, ttl, ttlSeconds) => {
    const location = await created(await host(), more);
    expect(manager.created.at(-1)?.ttl).toBe(ttl);
    expect(certificates.vms.at(-1)?.ttlSeconds).toBe(ttlSeconds);
    const shown = (await stand.send('GET', location)).json();
    expect(shown.expires_at === undefined).toBe(ttl === '');
  });

  it('tells of itself and is removed, with its certificates', async () => {
    const location = await created(await host());
    const { id, cvm_id: cvmId } = (await stand.send('GET', location)).json();
    const information = await stand.send('GET', `${location}/information`);
    expect(information.json()).toMatchObject({ cpu_num: 4, cpu_type: 'EPYC', eos_version: 'eos' });
    const policy = await stand.send('GET', `${location}/attestation-policy`);
    expect(policy.json()).toEqual({ id: cvmId, info: Buffer.from('{}').toString('base64') });
    expect((await stand.send('DELETE', location)).status).toBe(204);
    expect(manager.removed).toContain(cvmId);
    expect(certificates.revokedEntities.at(-1)).toMatchObject({ entityType: 'cvm', entityId: id });
    expect((await stand.send('GET', location)).status).toBe(404);
    expect((await stand.send('GET', `/backends/${String(id)}`)).status).toBe(404);
  });

  it('backends.md 16.11: a key broker that is not on the list: 422 and nothing sent', async () => {
    const id = await host();
    const before = manager.created.length;
    const refused = await create(id, { aa_kbs_params: 'cc_kbc::http://evil.example:8080' });
    expect(refused.status).toBe(422);
    expect(refused.json().type).toContain('kbs-host-not-allowed');
    expect(manager.created).toHaveLength(before);
    expect((await stand.send('GET', `/backends/${id}/vms`)).json().total).toBe(0);
    await created(id, { aa_kbs_params: 'cc_kbc::http://kbs.example:8080' });
    expect(manager.created.at(-1)?.aaKbsParams).toBe('cc_kbc::http://kbs.example:8080');
  });

  it('is one, however often the request comes', async () => {
    const id = await host();
    const before = manager.created.length;
    const once = { body: { name: 'once' }, headers: { 'idempotency-key': 'once' } };
    const first = await stand.send('POST', `/backends/${id}/vms`, once);
    const second = await stand.send('POST', `/backends/${id}/vms`, once);
    expect([first.status, second.status]).toEqual([201, 202]);
    expect(second.headers.location).toBe(first.headers.location);
    expect(manager.created).toHaveLength(before + 1);
  });

  it('another tenant sees none of it', async () => {
    const location = await created(await host());
    const authorization = await stand.identity.bearer({ tenant: 'tenant-b', roles: ['admin'] });
    for (const path of [location, `${location}/information`, location.replace(/\/[^/]+$/, '')]) {
      expect((await stand.send('GET', path, { authorization })).status).toBe(404);
    }
    expect((await stand.send('DELETE', location, { authorization })).status).toBe(404);
  });

  it('its host is asked by the older name where it knows no other', async () => {
    const old = await FakeManager.start(certificates, true);
    const location = await created(await host({ address: old.address }));
    const information = await stand.send('GET', `${location}/information`);
    expect(information.json()).toMatchObject({ cpu_type: 'EPYC' });
    await old.close();
  });
});

describe('backends.md 8: errors of managers', () => {
  it('too many VMs: 409, and nothing is left of the attempt, so its key may try again', async () => {
    const id = await host();
    const again = { body: { name: 'again' }, headers: { 'idempotency-key': 'again' } };
    manager.max = 0;
    const refused = await stand.send('POST', `/backends/${id}/vms`, again);
    manager.max = 1_000;
    expect(refused.status).toBe(409);
    expect(refused.json()).toMatchObject({ detail: 'maximum number of VMs exceeded' });
    expect((await stand.send('GET', `/backends/${id}/vms`)).json().total).toBe(0);
    expect((await stand.send('POST', `/backends/${id}/vms`, again)).status).toBe(201);
  });

  it('a VM that it does not know: 404, and then we know it no more either', async () => {
    const location = await created(await host());
    manager.vms.clear();
    for (const path of ['information', 'attestation-policy']) {
      expect((await stand.send('GET', `${location}/${path}`)).status).toBe(404);
    }
    expect((await stand.send('GET', location)).status).toBe(200);
    expect((await stand.send('DELETE', location)).status).toBe(404);
    expect((await stand.send('GET', location)).status).toBe(404);
  });

  it('no manager there: 503, and nothing is left', async () => {
    const gone = await FakeManager.start(certificates);
    const id = await host({ address: gone.address });
    await gone.close();
    expect((await create(id)).status).toBe(503);
    expect((await stand.send('GET', `/backends/${id}/vms`)).json().total).toBe(0);
  });

  it('no certificate to be had: 503, and nothing is sent', async () => {
    const id = await host();
    const before = manager.created.length;
    const issueVm = certificates.issueVm.bind(certificates);
    certificates.issueVm = () => Promise.reject(new Error('no issuer'));
    expect((await create(id)).status).toBe(503);
    certificates.issueVm = issueVm;
    expect(manager.created).toHaveLength(before);
    expect((await stand.send('GET', `/backends/${id}/vms`)).json().total).toBe(0);
  });
});

describe('backends.md 8: an attempt without an answer', () => {
  it('is uncertain, never repeated, and ends with its time', async () => {
    const id = await host();
    const before = manager.created.length;
    manager.silent = true;
    const reply = await create(id, { ttl: '1s' });
    manager.silent = false;
    expect(reply.status).toBe(202);
    const location = String(reply.headers.location);
    expect((await stand.send('GET', location)).json().state).toBe('uncertain');
    const removal = await stand.send('DELETE', location);
    expect([removal.status, removal.json().type]).toEqual([
      409,
      expect.stringContaining('vm-uncertain'),
    ]);
    expect(manager.created).toHaveLength(before + 1);
    const gone = async (): Promise<boolean> => (await stand.send('GET', location)).status === 404;
    await waitFor(gone, { deadlineMs: 20_000, what: 'the end of the VM' });
  }, 40_000);

  it('of a replica that has died is uncertain to the others, and is not made by them', async () => {
    const id = await host();
    const before = manager.created.length;
    let recorded: unknown[] = [];
    // The attempt stands before the manager hears of it: a kill at this moment leaves it as it is now.
    manager.onCreate = async () => {
      recorded = await stand.store.query('SELECT state FROM vms WHERE host_id = $1', [id]);
    };
    const location = await created(id);
    manager.onCreate = () => undefined;
    expect(recorded).toEqual([{ state: 'creating' }]);
    await stand.store.query(
      `UPDATE vms SET state = 'creating', cvm_id = NULL, attempted_at = now() - interval '1 h'
       WHERE host_id = $1`,
      [id],
    );
    const other = await Stand.start(certificates, {
      databaseUrl: database.url,
      settings: settings(),
    });
    const state = async (): Promise<unknown> => (await other.send('GET', location)).json().state;
    await waitFor(async () => (await state()) === 'uncertain', { deadlineMs: 20_000 });
    expect(manager.created).toHaveLength(before + 1);
    await other.stop();
  }, 40_000);
});

describe('certificates.md 5: a new key-encryption key', () => {
  const kekSetting = async (...keks: Buffer[]): Promise<Record<string, string>> => {
    const file = join(await temporaryFolder(), 'keks');
    await writeFile(file, keks.map((kek) => `${kek.toString('hex')}\n`).join(''));
    return { ...settings(), kekFile: file };
  };

  it('in front of the older one wraps the keys of managers anew, and is then enough', async () => {
    const location = await created(await host());
    const newer = randomBytes(32);
    const keks = 'SELECT DISTINCT key_kek_id AS kek FROM vm_managers';
    const [before] = await stand.store.query<{ kek: string }>(keks);
    const rotating = await Stand.start(certificates, {
      databaseUrl: database.url,
      settings: await kekSetting(newer, await readFile(kekFile)),
    });
    await waitFor(async () => {
      const rows = await stand.store.query<{ kek: string }>(keks);
      return rows.length === 1 && rows[0]?.kek !== before?.kek;
    });
    await rotating.stop();
    const rotated = await Stand.start(certificates, {
      databaseUrl: database.url,
      settings: await kekSetting(newer),
    });
    const information = await rotated.send('GET', `${location}/information`);
    expect(information.json()).toMatchObject({ cpu_type: 'EPYC' });
    await rotated.stop();
  });
});
