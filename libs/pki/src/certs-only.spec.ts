import { readFileSync } from 'node:fs';
import {
  certificatePem,
  derOf,
  openssl,
  testCa,
  testFolder,
  type TestCa,
} from '../test/support.js';
import * as der from './der.js';
import { certsOnly, DerError, readCertsOnly } from './index.js';

const folder = testFolder();
let ca: TestCa;

beforeAll(async () => {
  ca = await testCa('ECDSA-P256');
});

describe('certsOnly', () => {
  it('is read by openssl pkcs7 and openssl cms', async () => {
    const certificates = [ca.root.der, ca.intermediate.der];
    const file = folder.put('certs.p7', certsOnly(certificates));
    const printed = await openssl('pkcs7', ['-inform', 'DER', '-in', file, '-print_certs']);
    const out = folder.put('out.pem', '');
    const read = await openssl(
      ['cms', '-cmsout', '-inform', 'DER', '-in', file, '-certsout', out],
      ['-out', folder.put('copy', '')],
    );
    expect([printed.code, read.code]).toEqual([0, 0]);
    for (const certificate of certificates) {
      const pem = certificatePem(certificate);
      expect(printed.output).toContain(pem);
      expect(readFileSync(out, 'utf8')).toContain(pem);
    }
  });

  it('holds what was put in, ordered as a SET is in DER', () => {
    const certificates = [ca.root.der, ca.intermediate.der];
    const read = readCertsOnly(certsOnly(certificates));
    expect(read).toEqual(certificates.toSorted((a, b) => a.compare(b)));
    expect(certsOnly(certificates.toReversed())).toEqual(certsOnly(certificates));
    expect(readCertsOnly(certsOnly([]))).toEqual([]);
  });
});

describe('readCertsOnly', () => {
  it('reads what openssl writes', async () => {
    const file = folder.put('one.pem', certificatePem(ca.root.der));
    const made = await openssl('crl2pkcs7', ['-nocrl', '-certfile', file]);
    expect(readCertsOnly(derOf(made.output))).toEqual([ca.root.der]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['another content type', der.sequence(der.oid('1.2.840.113549.1.7.1'))],
    ['a certificate', null],
    [
      'a SignedData that is cut off',
      der.sequence(der.oid('1.2.840.113549.1.7.2'), der.explicit(0)),
    ],
  ])('refuses %s', (_, bytes) => {
    expect(() => readCertsOnly(bytes ?? ca.root.der)).toThrow(DerError);
  });
});
