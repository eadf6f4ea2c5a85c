import { generateKeyPairSync } from 'node:crypto';
import { openssl, testCa, testFolder, testLeaf, uri } from '../test/support.js';
import {
  generateKeys,
  leafKeyAlgorithms,
  nameDer,
  namedCsr,
  readCertificate,
  readCsr,
  renewalCsr,
  sameName,
  spkiOf,
} from './index.js';

const folder = testFolder();

describe('renewalCsr', () => {
  it.each(leafKeyAlgorithms)(
    'asks with a key of %s for the same subject and names',
    async (kind) => {
      const { intermediate } = await testCa('ECDSA-P256');
      const { privateKey, publicKey } = await generateKeys(kind);
      const names = {
        uris: [uri],
        dnsNames: ['a.example'],
        ipAddresses: ['10.0.0.1', '2001:db8::1'],
      };
      const old = testLeaf(intermediate, spkiOf(publicKey), { names });
      const request = renewalCsr(old, privateKey);
      const csr = readCsr(request);
      expect(csr).toMatchObject({ ...names, spki: spkiOf(publicKey), serverAuth: false });
      expect(csr.subjectDer).toEqual(readCertificate(old).subjectDer);
      const file = folder.put('renewal.der', request);
      const read = await openssl('req', [
        '-inform',
        'DER',
        '-in',
        file,
        '-verify',
        '-noout',
        '-text',
      ]);
      expect(read.code).toBe(0);
      expect(read.output).toContain(`URI:${uri}, DNS:a.example, IP Address:10.0.0.1`);
    },
  );
});

describe('namedCsr', () => {
  it('asks for the names that are given, as openssl reads it', async () => {
    const { privateKey, publicKey } = await generateKeys('ECDSA-P256');
    const names = { dnsNames: ['a.example'], ipAddresses: ['10.0.0.1', '2001:db8::1'] };
    const request = namedCsr(privateKey, names);
    expect(readCsr(request)).toMatchObject({ ...names, uris: [], spki: spkiOf(publicKey) });
    const file = folder.put('named.der', request);
    const read = await openssl('req', [
      '-inform',
      'DER',
      '-in',
      file,
      '-verify',
      '-noout',
      '-text',
    ]);
    expect(read.output).toContain('DNS:a.example, IP Address:10.0.0.1');
    expect(readCsr(namedCsr(privateKey, {}))).toMatchObject({ dnsNames: [], ipAddresses: [] });
  });
});

describe('sameName', () => {
  const name = [
    { type: 'country', value: 'DE' },
    { type: 'organization', value: 'Größe' },
    { type: 'commonName', value: 'host' },
  ] as const;

  it('takes another order and string type for the same', async () => {
    const subject = '/CN=host/O=Größe/C=DE';
    const key = folder.put('key.pem', privatePem());
    const made = await openssl([
      'req',
      '-new',
      '-utf8',
      '-key',
      key,
      '-subj',
      subject,
      '-outform',
      'PEM',
    ]);
    expect(sameName(readCsr(made.output).subjectDer, nameDer(name))).toBe(true);
  });

  it.each([
    ['another value', [...name.slice(0, 2), { type: 'commonName', value: 'Host' } as const]],
    ['one attribute less', name.slice(0, 2)],
    ['one twice', [...name, name[2]]],
  ])('tells %s', (_, other) => {
    expect(sameName(nameDer(name), nameDer(other))).toBe(false);
  });
});

function privatePem(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
