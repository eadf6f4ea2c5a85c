import { unzipSync } from 'fflate';
import { X509Certificate } from 'node:crypto';
import { Suite, type Reply } from './suite.js';

describe('certificates.md 10.2: the forms of 2025', () => {
  let suite: Suite;
  let token: string;
  let cvm: string;
  const send = (verb: string, path: string, body?: unknown): Promise<Reply> =>
    suite.send(verb, path, { token, body });

  beforeAll(async () => {
    suite = await Suite.start();
    token = await suite.identity.token({ tenant: 'tenant-a' });
    cvm = suite.backends.register('tenant-a', '', 'cvm');
  });
  afterAll(() => Suite.stopAll());

  const issue = async (): Promise<string> => {
    const reply = await send('POST', `/tenant-a/certs/issue/cvm/${cvm}`, { ttl: '10m' });
    expect([reply.status, reply.headers.location]).toEqual([
      201,
      `/certs/${reply.json().serial_number}`,
    ]);
    return reply.json().serial_number;
  };

  it('issue for a confidential VM, with clientAuth alone and for the life that is asked', async () => {
    const serial = await issue();
    const view = await send('GET', `/tenant-a/certs/${serial}`);
    expect(view.json()).toMatchObject({ entity_type: 'cvm', entity_id: cvm, status: 'valid' });
    const leaf = new X509Certificate(view.json().certificate);
    expect(leaf.subjectAltName).toContain(`/tenant/tenant-a/cvm/${cvm}`);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    const life = Date.parse(view.json().not_after) - Date.parse(view.json().issued_at);
    expect(Math.round(life / 60_000)).toBe(10);
  });

  it('hand out the files of an entity by a token, once', async () => {
    const serial = await issue();
    const path = `/tenant-a/certs/${serial}/download/token`;
    const fresh = async (): Promise<string> => (await send('GET', path)).json().token;
    const download = (name: string, value: string): Promise<Reply> =>
      suite.send('GET', `/tenant-a/certs/${name}/download?downloadToken=${value}`);
    const first = await fresh();
    const other = suite.backends.register('tenant-a', '', 'cvm');
    expect((await download(other, first)).status).toBe(401);
    const files = await download(cvm, first);
    expect(Object.keys(unzipSync(files.bytes))).toEqual(['ca.pem', 'cert.pem', 'key.pem']);
    expect((await download(cvm, first)).status).toBe(401);
    expect((await download(serial, await fresh())).status).toBe(200);
    expect((await download(cvm, 'forged')).json()).toMatchObject({
      code: 'download-token-invalid',
    });
    const ofTheCa = (await send('GET', '/certs/get-ca/token')).json().token;
    expect((await download(cvm, ofTheCa)).status).toBe(401);
  });

  it('bug: a certificate of a VM with serverAuth was asked after as a backend when it was renewed', async () => {
    const admin = await suite.token('tenant-a', ['platform-admin']);
    const issued = await suite.send('POST', `/certs/issue/cvm/${cvm}`, {
      token: admin,
      body: { server_auth: true },
    });
    const path = `/certs/${issued.json().serial_number}/renew`;
    expect((await suite.send('PATCH', path, { token: admin })).status).toBe(200);
  });

  it('list, renew and revoke', async () => {
    const serial = await issue();
    const listed = await send('GET', `/tenant-a/certs?entity_id=${cvm}&entity_type=cvm`);
    expect(listed.json().total).toBeGreaterThan(0);
    const renewed = await send('PATCH', `/tenant-a/certs/${serial}/renew`);
    expect([renewed.status, renewed.headers.location]).toEqual([
      200,
      expect.stringMatching(/^\/certs\/\d+$/),
    ]);
    expect((await send('PATCH', `/tenant-a/certs/${serial}/revoke`)).status).toBe(200);
    expect((await send('DELETE', `/tenant-a/certs/${cvm}/delete`)).status).toBe(204);
    expect((await send('GET', `/tenant-a/certs/${serial}`)).json().status).toBe('revoked');
  });

  it('are forbidden below another tenant than that of the token', async () => {
    const serial = await issue();
    for (const [verb, path] of [
      ['POST', `/tenant-b/certs/issue/cvm/${cvm}`],
      ['GET', '/tenant-b/certs'],
      ['GET', `/tenant-b/certs/${serial}`],
      ['GET', `/tenant-b/certs/${serial}/download/token`],
      ['PATCH', `/tenant-b/certs/${serial}/revoke`],
      ['DELETE', `/tenant-b/certs?entity_id=${cvm}`],
    ] as const) {
      expect([path, (await send(verb, path)).status]).toEqual([path, 403]);
    }
    expect((await suite.send('GET', '/tenant-a/certs')).status).toBe(401);
    expect((await send('GET', `/tenant-a/certs/${serial}`)).json().status).toBe('valid');
  });

  it('know a VM as a VM and a host as a host', async () => {
    const host = suite.backends.register('tenant-a');
    expect((await send('POST', `/certs/issue/cvm/${host}`)).status).toBe(404);
    expect((await send('POST', `/certs/issue/backend/${cvm}`)).status).toBe(404);
    expect((await send('POST', `/tenant-a/certs/issue/${host}`)).status).toBe(201);
  });
});
