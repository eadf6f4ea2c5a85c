import { fromPem, readCertificate, oids } from '@glacis/pki';
import { makeCsr } from './csr.js';
import { Suite, type Reply } from './suite.js';

describe('names', () => {
  let suite: Suite;
  let member: string;
  let admin: string;
  let platform: string;

  beforeAll(async () => {
    suite = await Suite.start({
      env: {
        PUBLIC_URL: 'https://glacis.example.org:8443',
        RESERVED_NAMES: '.svc.cluster.internal,10.96.0.0/12,extra.example.org',
      },
    });
    member = await suite.token('tenant-a');
    admin = await suite.token('tenant-a', ['member', 'admin']);
    platform = await suite.token('tenant-a', ['platform-admin']);
    await ourListener(suite);
    const other = await policy('tenant-b', {
      dns_suffixes: ['b.example.org'],
      cidrs: ['203.0.113.0/24', '2001:db8:b::/48'],
    });
    expect(other.status).toBe(200);
    suite.backends.register('tenant-b', '198.51.100.7');
    suite.backends.register('tenant-b', 'host.of-b.example');
  });
  afterAll(() => Suite.stopAll());

  const policy = (tenant: string, body: unknown, headers = {}): Promise<Reply> =>
    suite.send('PUT', `/certs/policies/${tenant}`, { token: platform, body, headers });

  /** A certificate of our own listener, as `backends` gets it. */
  async function ourListener(of: Suite): Promise<void> {
    const { csr } = await makeCsr();
    await of.directory.client('certificates').issueService({
      csr: fromPem(csr)[0]!.der,
      service: 'backends',
      dnsNames: ['Managers.example.org'],
      ipAddresses: ['192.0.2.99', '127.0.0.1'],
    });
  }

  const split = (name: string) =>
    /^[\d.]+$|:/.test(name) ? { ip_addresses: [name] } : { dns_names: [name] };

  const issue = (name: string, more: object = {}, token = member, of = suite, address = '') =>
    of.send('POST', `/certs/issue/backend/${of.backends.register('tenant-a', address)}`, {
      token,
      body: { ...split(name), ...more },
    });

  const byCsr = async (name: string, of = suite): Promise<Reply> => {
    const kind = /^[\d.]+$|:/.test(name) ? 'IP' : 'DNS';
    const { csr } = await makeCsr({ extensions: [`subjectAltName=${kind}:${name}`] });
    const backend = of.backends.register('tenant-a');
    return of.send('POST', `/certs/csrs/${backend}`, { token: member, body: { csr } });
  };

  const verdict = (reply: Reply): string =>
    reply.status === 422 ? `${reply.json().reason} ${reply.json().name}` : String(reply.status);

  it.each([
    ['managers.example.org', 'own_service managers.example.org'],
    ['MANAGERS.example.ORG', 'own_service MANAGERS.example.ORG'],
    ['192.0.2.99', 'own_service 192.0.2.99'],
    ['glacis.example.org', 'own_service glacis.example.org'],
    ['status.test', 'own_service status.test'],
    ['extra.example.org', 'own_service extra.example.org'],
    ['api.ns.svc.cluster.internal', 'own_service api.ns.svc.cluster.internal'],
    ['10.97.1.2', 'own_service 10.97.1.2'],
    ['198.51.100.7', 'not_granted 198.51.100.7'],
    ['host.of-b.example', 'not_granted host.of-b.example'],
    ['deep.b.example.org', 'not_granted deep.b.example.org'],
    ['203.0.113.9', 'not_granted 203.0.113.9'],
    ['2001:DB8:B:0::1', 'not_granted 2001:DB8:B:0::1'],
    ['*.example.net', 'wildcard *.example.net'],
    ['single', 'single_label single'],
    ['localhost', 'loopback localhost'],
    ['127.8.8.8', 'loopback 127.8.8.8'],
    ['::1', 'loopback ::1'],
    ['0.0.0.0', 'not_unicast 0.0.0.0'],
    ['::', 'not_unicast ::'],
    ['224.0.0.1', 'not_unicast 224.0.0.1'],
    ['ff02::1', 'not_unicast ff02::1'],
    ['255.255.255.255', 'not_unicast 255.255.255.255'],
    ['free.example.net', '201'],
    ['notb.example.org', '201'],
    ['192.168.1.1', '201'],
  ])('certificates.md 16.10: a client certificate for %s: %s', async (name, expected) => {
    expect(verdict(await issue(name))).toBe(expected);
    const spelled = (await byCsr(name)) as Reply;
    // openssl writes addresses by their bytes, so the name comes back in canonical form.
    const [status] = expected.split(' ');
    expect(spelled.status === 422 ? spelled.json().reason : String(spelled.status)).toBe(status);
  });

  it.each(['::ffff:192.0.2.1', 'fe80::1%eth0', '1.2.3', '999.1.1.1', ''])(
    'certificates.md 16.10: the address %j is malformed',
    async (address) => {
      const reply = await suite.send(
        'POST',
        `/certs/issue/backend/${suite.backends.register('tenant-a')}`,
        { token: member, body: { ip_addresses: [address] } },
      );
      expect([reply.status, reply.json().field]).toEqual([400, 'ip_addresses.0']);
    },
  );

  it.each(['a.example.org.', 'ümlaut.example', '-a.example', 'a..b', '1.2.3.4', 'a_b.example', ''])(
    'certificates.md 16.10: the host name %j is malformed',
    async (name) => {
      const reply = await issue('x.example', { dns_names: [name] });
      expect([reply.status, reply.json().field]).toEqual([400, 'dns_names.0']);
    },
  );

  it('certificates.md 16.10: one refused name refuses the whole request, the first one is told', async () => {
    const before = await suite.store.query('SELECT 1 FROM certificates');
    const reply = await issue('free.example.net', {
      ip_addresses: ['192.168.1.1', '224.0.0.1'],
      dns_names: ['single', 'free.example.net'],
    });
    expect(verdict(reply)).toBe('not_unicast 224.0.0.1');
    expect(await suite.store.query('SELECT 1 FROM certificates')).toHaveLength(before.length);
    const inOptions = await issue('free.example.net', { options: { dns_names: ['one'] } });
    expect(verdict(inOptions)).toBe('single_label one');
  });

  it('certificates.md 16.10: the normal flow, the registered address under the default policy', async () => {
    const open = await issue('192.168.100.4', {}, member, suite, '192.168.100.4');
    expect(open.status).toBe(201);
    // Another tenant registered it first: still information about this backend.
    const shared = await issue('198.51.100.7', {}, member, suite, '198.51.100.7');
    expect(shared.status).toBe(201);
    const own = await issue('192.0.2.99', {}, member, suite, '192.0.2.99');
    expect(verdict(own)).toBe('own_service 192.0.2.99');
  });

  it('certificates.md 16.10: with ALLOW_LOOPBACK any certificate may carry loopback', async () => {
    const open = await Suite.start({
      env: { ALLOW_LOOPBACK: 'true', PUBLIC_URL: 'http://127.0.0.1:8080' },
    });
    await ourListener(open);
    const token = await open.token('tenant-a');
    for (const name of ['localhost', '127.0.0.1', '::1']) {
      expect((await issue(name, {}, token, open)).status).toBe(201);
    }
    expect(verdict(await issue('192.0.2.99', {}, token, open))).toBe('own_service 192.0.2.99');
    await open.stop();
  });

  it('certificates.md 16.10: serverAuth by none, admin and member, and the names it may carry', async () => {
    const server = { server_auth: true };
    const put = async (body: unknown) => expect((await policy('tenant-a', body)).status).toBe(200);
    const address = '192.168.7.7';
    const status = async (name: string, token: string) =>
      verdict(await issue(name, server, token, suite, address));

    expect(await status(address, member)).toBe('403');
    expect(await status(address, admin)).toBe('403');
    expect(await status(address, platform)).toBe('201');
    expect(await status('free.example.net', platform)).toBe('not_granted free.example.net');

    await put({ server_auth: 'admin' });
    expect(await status(address, member)).toBe('403');
    expect(await status(address, admin)).toBe('201');

    await put({
      server_auth: 'member',
      dns_suffixes: ['.A.example.org'],
      cidrs: ['192.168.8.9/24'],
    });
    expect(await status('x.a.example.org', member)).toBe('201');
    expect(await status('192.168.8.200', member)).toBe('201');
    expect(await status(address, member)).toBe(`not_granted ${address}`);
    expect(await status('managers.example.org', platform)).toBe('own_service managers.example.org');

    const taken = await issue('198.51.100.7', server, platform, suite, '198.51.100.7');
    expect(verdict(taken)).toBe('not_granted 198.51.100.7');
    await suite.send('DELETE', '/certs/policies/tenant-a', { token: platform });
    const theirs = await issue('198.51.100.7', server, platform, suite, '198.51.100.7');
    expect(verdict(theirs)).toBe('not_granted 198.51.100.7');
  });

  it('certificates.md 16.10: serverAuth for a registered address that another tenant was granted: not_granted', async () => {
    const server = { server_auth: true };
    await policy('tenant-a', { server_auth: 'member' });
    for (const name of ['203.0.113.80', 'www.b.example.org']) {
      const issued = await issue(name, server, member, suite, name);
      expect(verdict(issued)).toBe(`not_granted ${name}`);
      const kind = name.startsWith('203') ? 'IP' : 'DNS';
      const { csr } = await makeCsr({
        extensions: ['extendedKeyUsage=serverAuth', `subjectAltName=${kind}:${name}`],
      });
      const backend = suite.backends.register('tenant-a', name);
      const path = `/certs/csrs/${backend}`;
      expect(verdict(await suite.send('POST', path, { token: member, body: { csr } }))).toBe(
        `not_granted ${name}`,
      );
    }
    const early = await issue('100.70.1.1', server, member, suite, '100.70.1.1');
    await policy('tenant-e', { cidrs: ['100.70.0.0/16'] });
    const path = `/certs/${early.json().serial_number}/renew`;
    const renewed = await suite.send('PATCH', path, { token: member });
    expect(verdict(renewed)).toBe('not_granted 100.70.1.1');
    await suite.send('DELETE', '/certs/policies/tenant-a', { token: platform });
  });

  it('certificates.md 16.10: a CSR that asks for serverAuth needs the same right', async () => {
    const { csr } = await makeCsr({
      extensions: ['extendedKeyUsage=serverAuth', 'subjectAltName=IP:192.168.9.9'],
    });
    const backend = suite.backends.register('tenant-a', '192.168.9.9');
    const ask = (token: string) =>
      suite.send('POST', `/certs/csrs/${backend}`, { token, body: { csr } });
    expect((await ask(member)).status).toBe(403);
    const issued = await ask(platform);
    expect(issued.status).toBe(201);
    const leaf = readCertificate(fromPem(issued.json().certificate)[0]!.der);
    expect(leaf.extKeyUsages).toContain(oids.serverAuth);
  });

  it('certificates.md 16.3: renewal holds names against the policy of now, later registrations do not block it', async () => {
    const client = await issue('soon.example.net');
    const path = `/certs/${client.json().serial_number}/renew`;
    suite.backends.register('tenant-b', 'soon.example.net');
    expect((await suite.send('PATCH', path, { token: member })).status).toBe(200);

    await policy('tenant-a', { server_auth: 'member', dns_suffixes: ['a.example.org'] });
    const server = await issue('www.a.example.org', { server_auth: true });
    const serverPath = `/certs/${server.json().serial_number}/renew`;
    expect((await suite.send('PATCH', serverPath, { token: member })).status).toBe(200);
    await policy('tenant-a', { server_auth: 'member', dns_suffixes: ['other.example.org'] });
    const refused = await suite.send('PATCH', serverPath, { token: member });
    expect(verdict(refused)).toBe('not_granted www.a.example.org');
    await suite.send('DELETE', '/certs/policies/tenant-a', { token: platform });
    expect((await suite.send('PATCH', serverPath, { token: member })).status).toBe(403);

    const mine = await issue('later-ours.example.net');
    const { csr } = await makeCsr();
    await suite.directory.client('certificates').issueService({
      csr: fromPem(csr)[0]!.der,
      service: 'jobs',
      dnsNames: ['later-ours.example.net'],
      ipAddresses: [],
    });
    const taken = await suite.send('PATCH', `/certs/${mine.json().serial_number}/renew`, {
      token: member,
    });
    expect(verdict(taken)).toBe('own_service later-ours.example.net');
  });

  it.each([
    ['managers.example.org', 'own_service', false],
    ['managers.example.org', 'own_service', true],
    ['127.0.0.9', 'loopback', false],
    ['*.example.net', 'wildcard', false],
    ['single', 'single_label', false],
    ['224.0.0.9', 'not_unicast', false],
    ['free.example.net', 'not_granted', true],
    ['deep.b.example.org', 'not_granted', true],
    ['free.example.net', '200', false],
    ['deep.b.example.org', '200', false],
  ])(
    'certificates.md 16.10: renewal with %s: %s (serverAuth %s)',
    async (name, expected, server_auth) => {
      const address = '192.168.61.1';
      const issued = await issue(address, { server_auth }, platform, suite, address);
      const { serial_number: serial } = issued.json();
      // A name that could be given out once, before the rules of today.
      await suite.store.query('UPDATE certificates SET names = $2 WHERE serial = $1', [
        serial,
        [name],
      ]);
      const path = `/certs/${serial}/renew`;
      const reply = await suite.send('PATCH', path, { token: platform });
      expect(reply.status === 422 ? reply.json().reason : String(reply.status)).toBe(expected);
      const { total } = (
        await suite.send('GET', `/certs?entity_id=${await entityOf(serial)}`, { token: platform })
      ).json();
      expect(total).toBe(reply.status === 200 ? 2 : 1);
    },
  );

  const entityOf = async (serial: string): Promise<string> =>
    (await suite.send('GET', `/certs/${serial}`, { token: platform })).json().entity_id;

  it('policies: platform administrators alone, with ETag and If-Match', async () => {
    const path = '/certs/policies/tenant-p';
    for (const token of [member, admin]) {
      for (const verb of ['GET', 'PUT', 'DELETE']) {
        expect((await suite.send(verb, path, { token, body: {} })).status).toBe(403);
      }
    }
    const standard = await suite.send('GET', path, { token: platform });
    expect(standard.text).toBe('{"dns_suffixes":[],"cidrs":[],"server_auth":"none"}\n');
    const put = await policy('tenant-p', { cidrs: ['100.64.1.1/16'] });
    expect(put.json()).toEqual({ dns_suffixes: [], cidrs: ['100.64.0.0/16'], server_auth: 'none' });
    const stale = { 'if-match': String(standard.headers.etag) };
    expect((await policy('tenant-p', {}, stale)).status).toBe(412);
    const fresh = { 'if-match': String(put.headers.etag) };
    expect((await policy('tenant-p', {}, fresh)).status).toBe(200);
    const gone = await suite.send('DELETE', path, { token: platform });
    expect([gone.status, gone.headers['content-length']]).toEqual([204, undefined]);
    const after = await suite.send('GET', path, { token: platform });
    expect(after.text).toBe(standard.text);
    expect((await policy('tenant-p', { cidrs: ['100.65.0.0/16'] })).status).toBe(200);
    for (const older of [standard, put]) {
      const headers = { 'if-match': String(older.headers.etag) };
      expect((await policy('tenant-p', {}, headers)).status).toBe(412);
    }
  });

  it('policies: what meets our own names or those of another tenant is a conflict', async () => {
    const overlaps = [
      { dns_suffixes: ['example.org'] },
      { dns_suffixes: ['x.b.example.org'] },
      { cidrs: ['203.0.0.0/16'] },
      { cidrs: ['192.0.2.99/32'] },
      { cidrs: ['127.1.0.0/16'] },
      { cidrs: ['10.100.0.0/24'] },
      { dns_suffixes: ['managers.example.org'] },
      { dns_suffixes: ['status.test'] },
      { dns_suffixes: ['internal'] },
    ];
    for (const body of overlaps) {
      const reply = await policy('tenant-c', body);
      expect([body, reply.status, reply.json().code]).toEqual([body, 409, 'policy-overlap']);
    }
    const raced = await Promise.all([
      policy('tenant-c', { dns_suffixes: ['race.example'] }),
      policy('tenant-d', { dns_suffixes: ['www.race.example'] }),
    ]);
    expect(raced.map((reply) => reply.status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    for (const body of [
      { dns_suffixes: ['*.x'] },
      { dns_suffixes: 'x' },
      { cidrs: ['1.2.3.4'] },
      { cidrs: ['1.2.3.4/33'] },
      { server_auth: 'everybody' },
      { dns_suffixes: Array.from({ length: 300 }, (_, i) => `n${i}.example`) },
    ]) {
      expect([body, (await policy('tenant-c', body)).status]).toEqual([body, 400]);
    }
  });

  it('certificates.md 16.10: bounds of what a request may add', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `n${i}.example.net`);
    const bad = [
      { dns_names: many(33) },
      { ip_addresses: Array.from({ length: 33 }, (_, i) => `192.168.3.${i}`) },
      { options: { organization: ['x'.repeat(65)] } },
      { options: { organizational_unit: ['x'.repeat(65)] } },
      { options: { locality: ['x'.repeat(129)] } },
      { options: { province: ['x'.repeat(129)] } },
      { options: { street_address: ['x'.repeat(129)] } },
      { options: { postal_code: ['x'.repeat(41)] } },
      { options: { country: ['DEU'] } },
      { options: { country: ['1!'] } },
      { options: { organization: Array.from({ length: 9 }, () => 'x') } },
      { options: { organization: ['a\u0000b'] } },
      { options: { organization: [''] } },
    ];
    for (const body of bad) {
      const reply = await issue('ok.example.net', body);
      expect([JSON.stringify(body).slice(0, 60), reply.status]).toEqual([
        JSON.stringify(body).slice(0, 60),
        400,
      ]);
    }
    const good = await issue('ok.example.net', {
      dns_names: many(32),
      options: {
        organization: Array.from({ length: 8 }, (_, i) => `${i}`.padEnd(64, 'ö')),
        country: ['DE'],
        postal_code: ['x'.repeat(40)],
        locality: ['x'.repeat(128)],
      },
    });
    expect(good.status).toBe(201);
  });
});
