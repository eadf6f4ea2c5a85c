import { waitFor } from '@glacis/runtime';
import { Suite } from './suite.js';

describe('the REST wire', () => {
  let suite: Suite;
  let token: string;

  beforeAll(async () => {
    suite = await Suite.start();
    token = await suite.token();
  });
  afterAll(() => Suite.stopAll());

  const issue = async (body: unknown = {}, tenant = 'tenant-a') => suite.issued(body, { tenant });

  it('certificates.md 16.1: the issue reply is one key and a line feed', async () => {
    const backend = suite.backends.register('tenant-a', '192.168.100.4');
    const reply = await suite.send('POST', `/certs/issue/backend/${backend}`, {
      token,
      body: { ip_addresses: ['192.168.100.4'] },
    });
    expect(reply.status).toBe(201);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.text).toMatch(/^\{"serial_number":"\d{30,39}"\}\n$/);
    const { serial_number: serial } = reply.json();
    expect(reply.bytes.length).toBe(21 + serial.length);
    expect(reply.headers['content-length']).toBe(String(reply.bytes.length));
    expect(reply.headers.location).toBe(`/certs/${serial}`);
  });

  it('certificates.md 16.1: lists have the keys, order and spelling of older clients', async () => {
    const tenant = 'tenant-list';
    const { serial, backend, token } = await issue({}, tenant);
    const listed = await suite.send('GET', '/certs', { token });
    expect(listed.status).toBe(200);
    expect(listed.headers['content-type']).toBe('application/json');
    const expiry = listed.json().certificates[0].ExpiryDate;
    expect(expiry).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const item = (revoked: boolean, date: string) =>
      `{"SerialNumber":"${serial}","Certificate":null,"Key":null,"Revoked":${revoked},` +
      `"ExpiryDate":"${date}","EntityType":"","EntityID":"${backend}","DownloadUrl":""}`;
    expect(listed.text).toBe(`{"certificates":[${item(false, expiry)}],"total":1,"limit":10}\n`);
    expect((await suite.send('GET', '/certs/certs', { token })).text).toBe(listed.text);

    const revokedAt = suite.clock.now().toISOString();
    await suite.send('PATCH', `/certs/${serial}/revoke`, { token });
    const filtered = await suite.send('GET', `/certs?offset=0&limit=5&entity_id=${backend}`, {
      token,
    });
    const date = revokedAt.replace(/\.?0+Z$/, 'Z');
    expect(filtered.text).toBe(
      `{"certificates":[${item(true, date)}],"total":1,"limit":5,"entity_id":"${backend}"}\n`,
    );
    const beyond = await suite.send('GET', '/certs?offset=3', { token });
    expect(beyond.text).toBe('{"certificates":[],"total":1,"offset":3,"limit":10}\n');
    const none = await suite.send('GET', '/certs?status=valid', { token });
    expect(none.text).toBe('{"certificates":[],"total":0,"limit":10}\n');
  });

  it('certificates.md 16.1: renew and revoke answer 200 with an empty body', async () => {
    const { serial, token } = await issue();
    for (const action of ['renew', 'revoke', 'revoke']) {
      const reply = await suite.send('PATCH', `/certs/${serial}/${action}`, { token });
      expect(reply.status).toBe(200);
      expect(reply.headers['content-length']).toBe('0');
      expect(reply.headers['content-type']).toBe('application/json');
    }
  });

  it('certificates.md 16.1: another tenant sees neither certificate nor entity', async () => {
    const { serial, backend } = await issue();
    const other = await suite.token('tenant-b', ['member', 'admin']);
    const calls: [string, string][] = [
      ['GET', `/certs/${serial}`],
      ['GET', `/certs/${serial}/download/token`],
      ['PATCH', `/certs/${serial}/renew`],
      ['PATCH', `/certs/${serial}/revoke`],
      ['POST', `/certs/issue/backend/${backend}`],
      ['POST', `/certs/issue/${backend}`],
      ['DELETE', `/certs/${backend}/delete`],
      ['DELETE', `/tenant-b/certs?entity_id=${backend}`],
    ];
    for (const [verb, path] of calls) {
      const reply = await suite.send(verb, path, { token: other });
      expect([verb, path, reply.status]).toEqual([verb, path, 404]);
      expect(reply.headers['content-type']).toBe('application/problem+json');
    }
    const unknown = await suite.send('GET', '/certs/12345', { token: other });
    const theirs = await suite.send('GET', `/certs/${serial}`, { token: other });
    expect(theirs.json().detail).toBe(unknown.json().detail);
    expect((await suite.send('GET', `/certs/${serial}`, { token })).json().status).toBe('valid');
  });

  it('shows a certificate with everything but its key', async () => {
    const { serial, backend } = await issue({ dns_names: ['a.example.org'], ttl: '48h' });
    const hex = BigInt(serial).toString(16).padStart(32, '0');
    const reply = await suite.send('GET', `/certs/${serial}`, { token });
    const view = reply.json();
    expect(Object.keys(view)).toEqual([
      'serial_number',
      'certificate',
      'revoked',
      'expiry_time',
      'entity_id',
      'entity_type',
      'status',
      'issued_at',
      'not_before',
      'not_after',
      'issuer_id',
      'key_algorithm',
      'fingerprint_sha256',
      'ip_addresses',
      'dns_names',
      'has_key',
    ]);
    expect(view).toMatchObject({
      serial_number: serial,
      revoked: false,
      entity_id: backend,
      entity_type: 'backend',
      status: 'valid',
      key_algorithm: 'ECDSA-P256',
      dns_names: ['a.example.org'],
      ip_addresses: [],
      has_key: true,
    });
    expect(view.certificate.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(reply.text).not.toContain('PRIVATE');
    for (const spelling of [`0x${hex}`, hex.match(/../g)?.join(':') ?? '']) {
      const same = await suite.send('GET', `/certs/${spelling}`, { token });
      expect(same.json().serial_number).toBe(serial);
    }
  });

  it('certificates.md 10.2: the forms of later clients', async () => {
    const { backend } = await issue();
    const bare = await suite.send('POST', `/certs/issue/${backend}`, { token, body: {} });
    expect(Object.keys(bare.json())).toEqual(['serial_number']);
    const full = await suite.send('POST', `/certs/issue/${backend}`, {
      token,
      headers: { accept: 'application/json' },
      body: { ttl: '10h', ip_addresses: null, options: { common_name: 'ignored' } },
    });
    expect(full.status).toBe(201);
    expect(Object.keys(full.json())).toEqual([
      'serial_number',
      'certificate',
      'revoked',
      'expiry_time',
      'entity_id',
    ]);
    expect(full.json()).toMatchObject({ revoked: false, entity_id: backend });

    const ca = await suite.send('GET', '/certs/view-ca');
    expect(ca.json().certificate).toMatch(/BEGIN CERTIFICATE/);

    const foreign = await suite.send('DELETE', `/tenant-b/certs?entity_id=${backend}`, { token });
    expect(foreign.status).toBe(403);
    const all = await suite.send('DELETE', `/tenant-a/certs?entity_id=${backend}`, { token });
    expect(all.status).toBe(204);
    expect(all.headers['content-length']).toBeUndefined();
    expect(all.headers['content-type']).toBe('application/json');
    const valid = await suite.send('GET', `/certs?entity_id=${backend}&status=valid`, { token });
    expect(valid.json().total).toBe(0);
    const again = await suite.send('DELETE', `/certs/${backend}/delete`, { token });
    expect(again.status).toBe(204);
  });

  it('renew tells its new serial where JSON is asked for by name', async () => {
    const { serial, token } = await issue({ ttl: '100h' });
    const reply = await suite.send('PATCH', `/certs/${serial}/renew`, {
      token,
      headers: { accept: 'application/json' },
      body: { ttl: '50h' },
    });
    const renewed = reply.json();
    expect(Object.keys(renewed)).toEqual(['serial_number', 'expiry_time', 'replaces']);
    expect(renewed.replaces).toBe(serial);
    expect(reply.headers.location).toBe(`/certs/${renewed.serial_number}`);
    const end = suite.clock.now().getTime() + 50 * 3_600_000;
    expect(Date.parse(renewed.expiry_time)).toBe(Math.floor(end / 1000) * 1000);
  });

  it('an idempotency key repeats issue, and renew with their serials', async () => {
    const backend = suite.backends.register('tenant-a');
    const headers = { 'idempotency-key': 'once' };
    const path = `/certs/issue/backend/${backend}`;
    const ask = () => suite.send('POST', path, { token, headers, body: {} });
    const racing = await Promise.all([ask(), ask(), ask()]);
    const first = racing.find((reply) => reply.status === 201) ?? racing[0]!;
    const second = await ask();
    expect(first.status).toBe(201);
    expect(second.text).toBe(first.text);
    expect(second.headers.location).toBe(first.headers.location);
    const other = await suite.send('POST', path, { token, headers, body: { ttl: '5h' } });
    expect(other.status).toBe(422);

    const { serial_number: serial } = first.json();
    const renewPath = `/certs/${serial}/renew?revoke_old=true`;
    const renewed = await suite.send('PATCH', renewPath, { token, headers });
    const repeated = await suite.send('PATCH', renewPath, { token, headers });
    expect(renewed.status).toBe(200);
    expect(repeated.headers.location).toBe(renewed.headers.location);
    const mine = await suite.send('GET', `/certs?entity_id=${backend}`, { token });
    expect(mine.json().total).toBe(2);
  });

  it('requests with an idempotency key hold no connection while others are asked, and repeats ask nobody', async () => {
    const backend = suite.backends.register('tenant-a');
    const path = `/certs/issue/backend/${backend}`;
    const ask = (i: number) =>
      suite.send('POST', path, { token, headers: { 'idempotency-key': `many-${i}` }, body: {} });
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let waiting = 0;
    suite.backends.beforeAnswer = () => {
      waiting += 1;
      return held;
    };
    const asked = Promise.all(Array.from({ length: 24 }, (_, i) => ask(i)));
    await waitFor(() => waiting === 24, { what: 'every issue to ask about its entity' });
    const listed = await suite.send('GET', `/certs?entity_id=${backend}`, { token });
    expect([listed.status, listed.json().total]).toEqual([200, 0]);
    release();
    suite.backends.beforeAnswer = async () => undefined;
    expect(new Set((await asked).map((reply) => reply.status))).toEqual(new Set([201]));
    suite.backends.away = true;
    const repeated = await ask(3);
    suite.backends.away = false;
    expect(repeated.text).toBe((await asked)[3]?.text);
  });

  it('names the reason of every refusal in a problem', async () => {
    const { serial, backend } = await issue();
    const revoked = (await issue()).serial;
    await suite.send('PATCH', `/certs/${revoked}/revoke`, { token });
    const cases: [string, string, unknown, number, string][] = [
      ['POST', `/certs/issue/backend/${backend}`, { ttl: '59s' }, 400, 'malformed'],
      ['POST', `/certs/issue/backend/${backend}`, { ttl: '90' }, 400, 'malformed'],
      ['POST', `/certs/issue/backend/${backend}`, { ip_addresses: ['nope'] }, 400, 'malformed'],
      ['POST', `/certs/issue/robot/${backend}`, {}, 400, 'malformed'],
      ['POST', `/certs/issue/service/${backend}`, {}, 403, 'forbidden'],
      ['POST', `/certs/issue/backend/${backend}`, { server_auth: true }, 403, 'forbidden'],
      ['POST', `/certs/issue/backend/${serial}`, {}, 404, 'not-found'],
      ['POST', `/certs/issue/party/${backend}`, {}, 404, 'not-found'],
      ['POST', `/certs/csrs/${backend}`, { csr: 'junk!' }, 400, 'malformed'],
      ['PATCH', `/certs/${revoked}/renew`, {}, 409, 'certificate-revoked'],
      ['PATCH', `/certs/${serial}/revoke`, { reason: 'cACompromise' }, 400, 'malformed'],
      ['PATCH', `/certs/${serial}/revoke`, { reason: 6 }, 400, 'malformed'],
      ['GET', '/certs/abc', undefined, 400, 'malformed'],
      ['GET', `/certs/${serial}/download`, undefined, 400, 'malformed'],
      ['GET', '/certs?limit=101', undefined, 400, 'malformed'],
      ['GET', '/certs?limit=5&limit=6', undefined, 400, 'malformed'],
      ['GET', '/certs?status=unknown', undefined, 400, 'malformed'],
    ];
    for (const [verb, path, body, status, code] of cases) {
      const reply = await suite.send(verb, path, { token, body });
      expect([path, body, reply.status, reply.json().code]).toEqual([path, body, status, code]);
      expect(reply.json()).toMatchObject({
        error: expect.any(String),
        message: expect.any(String),
      });
    }
    expect((await suite.send('GET', `/certs/${serial}`)).status).toBe(401);
    const homeless = await suite.token(null);
    expect((await suite.send('GET', '/certs', { token: homeless })).status).toBe(403);
    const text = await suite.send('POST', `/certs/issue/backend/${backend}`, {
      token,
      headers: { 'content-type': 'text/plain' },
      body: 'hello',
    });
    expect(text.status).toBe(415);
    const large = await suite.send('POST', `/certs/issue/backend/${backend}`, {
      token,
      body: { ttl: 'x'.repeat(70_000) },
    });
    expect(large.status).toBe(413);
  });

  it('answers 503 while nobody can say whether the entity exists', async () => {
    const backend = suite.backends.register('tenant-a');
    suite.backends.away = true;
    const reply = await suite.send('POST', `/certs/issue/backend/${backend}`, { token, body: {} });
    suite.backends.away = false;
    expect([reply.status, reply.json().code]).toEqual([503, 'ca-unavailable']);
  });

  it('shortens a life that is wished too long', async () => {
    const { serial } = await issue({ ttl: '100000h' });
    const view = (await suite.send('GET', `/certs/${serial}`, { token })).json();
    const end = suite.clock.now().getTime() + 8760 * 3_600_000;
    expect(Date.parse(view.not_after)).toBe(Math.floor(end / 1000) * 1000);
  });

  it('shows an expired certificate as expired and does not renew it', async () => {
    const other = await Suite.start();
    const { serial, token } = await other.issued({ ttl: '1m' });
    other.clock.advance(61_000);
    expect((await other.send('GET', `/certs/${serial}`, { token })).json().status).toBe('expired');
    const listed = await other.send('GET', '/certs?status=expired', { token });
    expect(listed.json().total).toBe(1);
    const renewed = await other.send('PATCH', `/certs/${serial}/renew`, { token });
    expect([renewed.status, renewed.json().code]).toEqual([409, 'certificate-expired']);
    await other.stop();
  });
});
