import fc from 'fast-check';
import { Suite } from './suite.js';

/** What no caller should send; never a 5xx, a crash or a change. */
const hostileTexts = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e',
  'x'.repeat(5_000),
  "'; DROP TABLE certificates; --",
  '../../etc/passwd',
  '%',
  '%00',
  '{}',
  '-1',
  '1e9',
  'NaN',
  '0x',
  '1000000000h',
  '9007199254740991ms',
  '99999999999999999999999999999999999999999999999999999999',
];
const hostileValues = [...hostileTexts, null, 0, -1, 1.5, true, [], {}, [null], [[]], [{}], [1]];

describe('hostile input', () => {
  let suite: Suite;
  let token: string;
  let platform: string;
  let serial: string;
  let backend: string;

  beforeAll(async () => {
    suite = await Suite.start({ env: { CRL_RATE: '1000000/s', OCSP_RATE: '1000000/s' } });
    platform = await suite.token('tenant-a', ['member', 'platform-admin']);
    ({ serial, backend, token } = await suite.issued());
  });
  afterAll(() => Suite.stopAll());

  const expectTame = async (verb: string, path: string, body?: unknown, as = token) => {
    const reply = await suite.send(verb, path, { token: as, body });
    if (reply.status >= 500)
      throw new Error(`${verb} ${path} ${JSON.stringify(body)}: ${reply.text}`);
    return reply.status;
  };

  it('every body member of every route takes wrong types and texts', async () => {
    const bodies: [string, string, (value: unknown) => unknown][] = [
      ...[
        'ip_addresses',
        'dns_names',
        'ttl',
        'key_algorithm',
        'server_auth',
        'profile',
        'options',
      ].map((member): [string, string, (value: unknown) => unknown] => [
        'POST',
        `/certs/issue/backend/${backend}`,
        (value) => ({ [member]: value }),
      ]),
      ...['organization', 'country', 'common_name', 'dns_names', 'ip_addresses'].flatMap(
        (member) => [
          ['POST', `/certs/issue/${backend}`, (value) => ({ options: { [member]: value } })] as [
            string,
            string,
            (value: unknown) => unknown,
          ],
          ['POST', `/certs/issue/${backend}`, (value) => ({ options: { [member]: [value] } })] as [
            string,
            string,
            (value: unknown) => unknown,
          ],
        ],
      ),
      ['POST', `/certs/issue/backend/${backend}`, (value) => ({ dns_names: [value] })],
      ['POST', `/certs/csrs/${backend}`, (value) => ({ csr: value })],
      ['PATCH', `/certs/${serial}/renew`, (value) => ({ ttl: value })],
      ['PATCH', `/certs/${serial}/renew`, (value) => ({ revoke_old: value === true ? 1 : value })],
      ['PATCH', '/certs/7/revoke', (value) => ({ reason: value })],
      ['POST', '/certs/ocsp', (value) => ({ serial_number: value })],
      ['POST', '/certs/ocsp', (value) => ({ certificate: value })],
      ['PUT', '/certs/policies/t', (value) => ({ dns_suffixes: value })],
      ['PUT', '/certs/policies/t', (value) => ({ cidrs: [value] })],
      ['PUT', '/certs/policies/t', (value) => ({ server_auth: value })],
    ];
    for (const [verb, path, body] of bodies) {
      for (const value of hostileValues) await expectTame(verb, path, body(value), platform);
    }
  });

  it('every body may be no object, no JSON, or nothing', async () => {
    const routes: [string, string][] = [
      ['POST', `/certs/issue/backend/${backend}`],
      ['POST', `/certs/csrs/${backend}`],
      ['PATCH', `/certs/${serial}/renew`],
      ['PATCH', '/certs/7/revoke'],
      ['POST', '/certs/ocsp'],
      ['PUT', '/certs/policies/t'],
    ];
    for (const [verb, path] of routes) {
      for (const body of ['[]', '1', '"x"', 'null', '{', '\u0000', '{"a":', '[[[[']) {
        await expectTame(verb, path, body, platform);
      }
    }
  });

  it('every path and query parameter takes what it is given', async () => {
    const places: [string, (value: string) => string][] = [
      ['GET', (value) => `/certs/${value}`],
      ['GET', (value) => `/certs/${value}/download/token`],
      ['GET', (value) => `/certs/${value}/download?token=x`],
      ['GET', (value) => `/certs/${serial}/download?token=${value}`],
      ['GET', (value) => `/certs/${serial}/download?downloadToken=${value}`],
      ['GET', (value) => `/certs/download-ca?token=${value}`],
      ['PATCH', (value) => `/certs/${value}/renew`],
      ['PATCH', (value) => `/certs/9/renew?ttl=${value}`],
      ['PATCH', (value) => `/certs/9/renew?revoke_old=${value}`],
      ['PATCH', (value) => `/certs/9/revoke?reason=${value}`],
      ['POST', (value) => `/certs/issue/${value}/${backend}`],
      ['POST', (value) => `/certs/issue/backend/${value}`],
      ['POST', (value) => `/certs/csrs/${value}`],
      ['POST', (value) => `/certs/csrs/${backend}?entity_type=${value}`],
      ['DELETE', (value) => `/certs/${value}/delete`],
      ['DELETE', (value) => `/tenant-a/certs?entity_id=${value}`],
      ['DELETE', (value) => `/${value}/certs?entity_id=x`],
      ['GET', (value) => `/certs?offset=${value}`],
      ['GET', (value) => `/certs?limit=${value}`],
      ['GET', (value) => `/certs?entity_id=${value}`],
      ['GET', (value) => `/certs?entity_type=${value}`],
      ['GET', (value) => `/certs?status=${value}`],
      ['GET', (value) => `/certs/crl?issuer=${value}`],
      ['GET', (value) => `/certs/crl?format=${value}`],
      ['GET', (value) => `/certs/crl/${value}/0.crl`],
      ['GET', (value) => `/certs/crl/x/${value}`],
      ['GET', (value) => `/certs/ca?format=der&issuer=${value}`],
      ['GET', (value) => `/certs/ca/${value}`],
      ['GET', (value) => `/certs/ocsp/${value}`],
      ['GET', (value) => `/certs/policies/${value}`],
    ];
    for (const [verb, path] of places) {
      for (const text of hostileTexts) {
        const spelled = text === '\ud800' ? '%ED%A0%80' : encodeURIComponent(text);
        await expectTame(verb, path(spelled), undefined, platform);
        const joint = path('').includes('?') ? '&' : '?';
        await expectTame(verb, `${path(spelled)}${joint}limit=1&limit=2`, undefined, platform);
      }
      await expectTame(verb, path('%zz'), undefined, platform);
    }
  });

  it('random bytes to OCSP and CSR give answers, not failures', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const der = Buffer.from(bytes);
        const posted = await suite.send('POST', '/certs/ocsp', {
          headers: { 'content-type': 'application/ocsp-request' },
          body: der,
        });
        expect(posted.status).toBe(200);
        const path = `/certs/ocsp/${encodeURIComponent(der.toString('base64'))}`;
        expect((await suite.send('GET', path)).status).toBe(200);
        const csr = der.toString('base64');
        const refused = await suite.send('POST', `/certs/csrs/${backend}`, {
          token,
          body: { csr },
        });
        expect(refused.status).toBe(400);
      }),
      { numRuns: 60, seed: 20261121 },
    );
  });

  it('after all of it the certificate stands as it was', async () => {
    const view = await suite.send('GET', `/certs/${serial}`, { token });
    expect(view.json().status).toBe('valid');
  });
});
