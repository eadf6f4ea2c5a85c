import { createHash } from 'node:crypto';
import { crlForm, joinedPem } from './crl-form.js';
import type { Crl } from './crls.service.js';

const crlOf = (content: string): Crl => ({
  number: '1',
  der: Buffer.from(content),
  thisUpdate: new Date(0),
  nextUpdate: new Date(1),
});

describe('crlForm', () => {
  it('encodes and hashes each form of a CRL once', () => {
    const crl = crlOf('one');
    for (const name of ['der', 'pem', 'json'] as const) {
      const form = crlForm(crl, name);
      expect(crlForm(crl, name)).toBe(form);
      expect(form.etag).toBe(`"${createHash('sha256').update(form.body).digest('hex')}"`);
    }
  });

  it('gives joined CRLs a tag that changes with each of them', () => {
    const [a, b] = [crlOf('a'), crlOf('b')];
    const joined = joinedPem([a, b]);
    expect(joined.body.toString().match(/BEGIN X509 CRL/g)).toHaveLength(2);
    expect(joinedPem([a, b]).etag).toBe(joined.etag);
    expect(joinedPem([a, crlOf('c')]).etag).not.toBe(joined.etag);
  });
});
