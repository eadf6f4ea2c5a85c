import { fromPem } from '@glacis/pki';
import { isPublic, PublicPort } from '../src/status/public-port.js';
import { Suite } from './suite.js';

describe('the public port (certificates.md 11)', () => {
  let suite: Suite;
  let url: string;

  beforeAll(async () => {
    suite = await Suite.start({ env: { STATUS_HOST: '127.0.0.1', STATUS_PORT: '0' } });
    url = `http://127.0.0.1:${suite.app.get(PublicPort, { strict: false }).port}`;
  });
  afterAll(() => Suite.stopAll());

  it('gives OCSP, CRLs and CA certificates without a token', async () => {
    const { serial, token } = await suite.issued();
    const ca = await fetch(`${url}/certs/ca`);
    expect(fromPem(await ca.text())).toHaveLength(2);
    const { issuer_id: id } = (await suite.send('GET', `/certs/${serial}`, { token })).json();
    for (const path of [`/certs/ca/${id}.crt`, '/certs/crl', `/certs/crl/${id}/0.crl`]) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
    }
    const ocsp = await fetch(`${url}/certs/ocsp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ serial_number: serial }),
    });
    expect(ocsp.headers.get('content-type')).toBe('application/ocsp-response');
  });

  it('has nothing else, whoever asks and however it is spelled', async () => {
    const token = await suite.token(null, ['platform-admin']);
    const headers = { authorization: `Bearer ${token}` };
    for (const path of [
      '/certs',
      '/certs/ca/issuers',
      '/health',
      '/metrics',
      '/certs/policies/x',
    ]) {
      expect([path, (await fetch(url + path, { headers })).status]).toEqual([path, 404]);
    }
    const rotation = await fetch(`${url}/certs/ca/rotations`, { method: 'POST', headers });
    expect(rotation.status).toBe(404);
    for (const path of [
      '/certs/ca%2fissuers',
      '/certs/ca/../issuers',
      '/certs//ca',
      '/certs/ca/',
    ]) {
      expect([path, isPublic('GET', path)]).toEqual([path, false]);
    }
    expect(isPublic('DELETE', '/certs/ca')).toBe(false);
    expect(isPublic('GET', '/certs/crl?issuer=all&format=pem')).toBe(true);
    expect(isPublic('GET', '/certs/ocsp/MEIw%2B//a=')).toBe(true);
  });
});
