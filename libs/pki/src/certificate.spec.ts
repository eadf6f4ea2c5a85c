import { createPrivateKey, X509Certificate } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import {
  certificatePem,
  day,
  openssl,
  shardUrl,
  status,
  testCa,
  testFolder,
  testLeaf,
  uri,
  type TestCa,
} from '../test/support.js';
import {
  certificate,
  crossExtensions,
  extension,
  generateKeys,
  keyIdOf,
  leafKeyAlgorithms,
  nameDer,
  newSerial,
  privateKeyPem,
  readCertificate,
  readPrivateKey,
  spkiOf,
  type CaKeyAlgorithm,
  type KeyAlgorithm,
} from './index.js';

const caAlgorithms: CaKeyAlgorithm[] = [
  'ECDSA-P256',
  'ECDSA-P384',
  'ECDSA-P521',
  'RSA-2048',
  'Ed25519',
];
const folder = testFolder();
const cas = {} as Record<CaKeyAlgorithm, TestCa>;
const leafKeys = {} as Record<KeyAlgorithm, Buffer>;

beforeAll(async () => {
  for (const algorithm of caAlgorithms) cas[algorithm] = await testCa(algorithm);
  for (const name of leafKeyAlgorithms)
    leafKeys[name] = spkiOf((await generateKeys(name)).publicKey);
}, 60_000);

const ca = (algorithm: CaKeyAlgorithm = 'ECDSA-P256'): TestCa => cas[algorithm];

describe.each(caAlgorithms)('a CA with a key of %s', (algorithm) => {
  it('issues leaves of every key algorithm that openssl verify -x509_strict accepts', async () => {
    const { root, intermediate } = ca(algorithm);
    const anchors = folder.put(`${algorithm}-root.pem`, certificatePem(root.der));
    const chain = folder.put(`${algorithm}-ca.pem`, certificatePem(intermediate.der));
    for (const [name, spki] of Object.entries(leafKeys)) {
      const leaf = testLeaf(intermediate, spki, {
        serverAuth: true,
        names: {
          uris: [`${uri}/tenant/t/backend/b`],
          dnsNames: ['host.example.com'],
          ipAddresses: ['192.0.2.7', '2001:db8::7'],
        },
      });
      const file = folder.put(`${algorithm}-${name}.pem`, certificatePem(leaf));
      const verify = ['verify', '-x509_strict', '-check_ss_sig', '-CAfile', anchors];
      const result = await openssl(
        ...verify,
        ['-untrusted', chain, '-purpose', 'sslserver'],
        ['-verify_hostname', 'host.example.com', '-verify_ip', '2001:db8::7', file],
      );
      expect(result).toEqual({ code: 0, output: `${file}: OK\n` });
    }
  });

  it('issues certificates that @peculiar/x509 verifies', async () => {
    const { root, intermediate } = ca(algorithm);
    const issuer = new x509.X509Certificate(intermediate.der);
    const leaf = new x509.X509Certificate(testLeaf(intermediate, leafKeys['ECDSA-P256']));
    expect(await leaf.verify({ publicKey: issuer, signatureOnly: true })).toBe(true);
    expect(leaf.issuer).toBe(issuer.subject);
    const anchor = new x509.X509Certificate(root.der);
    expect(await anchor.isSelfSigned()).toBe(true);
  });
});

describe('profiles of certificates.md 5.1', () => {
  it('leaf: exactly the extensions of the table', () => {
    const { intermediate } = ca();
    const spki = leafKeys['ECDSA-P256'];
    const info = readCertificate(testLeaf(intermediate, spki));
    expect(
      [...info.extensions].map(([id, { critical }]) => `${id} ${critical}`).toSorted(),
    ).toEqual([
      '1.3.6.1.5.5.7.1.1 false',
      '2.5.29.14 false',
      '2.5.29.15 true',
      '2.5.29.17 false',
      '2.5.29.19 true',
      '2.5.29.31 false',
      '2.5.29.35 false',
      '2.5.29.37 false',
    ]);
    expect(info).toMatchObject({
      issuerDer: intermediate.subjectDer,
      spki,
      keyId: keyIdOf(spki),
      authorityKeyId: intermediate.keyId,
      isCa: false,
      pathLength: null,
      keyUsages: ['digitalSignature'],
      extKeyUsages: ['1.3.6.1.5.5.7.3.2'],
      uris: [`${uri}/tenant/t/backend/b`],
      dnsNames: [],
      ipAddresses: [],
    });
  });

  it('leaf: pointers as openssl prints them, RSA with keyEncipherment, serverAuth after clientAuth', async () => {
    const leaf = testLeaf(ca().intermediate, leafKeys['RSA-2048'], { serverAuth: true });
    const file = folder.put('rsa.pem', certificatePem(leaf));
    const { output } = await openssl('x509', '-noout', '-text', '-in', file);
    for (const text of [
      'Digital Signature, Key Encipherment',
      'TLS Web Client Authentication, TLS Web Server Authentication',
      `OCSP - URI:${status}/ocsp`,
      `CA Issuers - URI:${status}/ca/ca.crt`,
      `URI:${shardUrl}`,
      'CA:FALSE',
    ]) {
      expect(output).toContain(text);
    }
  });

  it('leaf: without pointers neither extension is written', () => {
    const leaf = testLeaf(ca().intermediate, leafKeys['Ed25519'], { pointers: {} });
    const { extensions } = readCertificate(leaf);
    expect(extensions.has('1.3.6.1.5.5.7.1.1')).toBe(false);
    expect(extensions.has('2.5.29.31')).toBe(false);
  });

  it('intermediate, root and cross certificate', () => {
    const { root, intermediate } = ca();
    expect(readCertificate(intermediate.der)).toMatchObject({
      isCa: true,
      pathLength: 0,
      keyUsages: ['keyCertSign', 'cRLSign'],
      extKeyUsages: [],
      uris: [uri],
      authorityKeyId: root.keyId,
    });
    const self = readCertificate(root.der);
    expect(self).toMatchObject({ isCa: true, pathLength: null, authorityKeyId: self.keyId });
    expect(self.extensions.has('1.3.6.1.5.5.7.1.1')).toBe(false);
    expect(self.extensions.has('2.5.29.31')).toBe(false);
  });

  it('a cross certificate lets the old root alone verify a leaf under the new one', async () => {
    const [older, newer] = [ca('ECDSA-P256'), ca('ECDSA-P384')];
    const cross = certificate({
      serial: newSerial(),
      issuer: older.root,
      subject: newer.root.subjectDer,
      publicKey: newer.root.spki,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 300 * day),
      extensions: crossExtensions({
        issuer: older.root,
        publicKey: newer.root.spki,
        uri,
        pointers: { caIssuers: `${status}/ca/old.crt`, crl: `${status}/crl/old/root.crl` },
      }),
    });
    const leaf = folder.put(
      'x-leaf.pem',
      certificatePem(testLeaf(newer.intermediate, leafKeys['Ed25519'])),
    );
    const chain = folder.put('x-chain.pem', certificatePem(newer.intermediate.der, cross));
    for (const anchor of [older.root.der, newer.root.der]) {
      const anchors = folder.put('x-root.pem', certificatePem(anchor));
      const result = await openssl([
        'verify',
        '-x509_strict',
        '-CAfile',
        anchors,
        '-untrusted',
        chain,
        leaf,
      ]);
      expect(result.output).toBe(`${leaf}: OK\n`);
    }
  });

  it('writes subject values as UTF8String, the country as PrintableString', async () => {
    const { root } = ca();
    const der = certificate({
      serial: 1n,
      issuer: root,
      subject: [
        { type: 'country', value: 'DE' },
        { type: 'province', value: 'Baden-Württemberg' },
        { type: 'commonName', value: 'x' },
      ],
      publicKey: root.spki,
      notBefore: new Date('2049-12-31T23:59:59Z'),
      notAfter: new Date('2050-01-01T00:00:00Z'),
      extensions: [extension.basicConstraints({ ca: false })],
    });
    const file = folder.put('subject.pem', certificatePem(der));
    const { output } = await openssl('asn1parse', '-in', file);
    expect(output).toMatch(/PRINTABLESTRING\s+:DE/);
    expect(output.match(/UTF8STRING/g)).toHaveLength(4);
    expect(output).toMatch(/UTCTIME\s+:491231235959Z/);
    expect(output).toMatch(/GENERALIZEDTIME\s+:20500101000000Z/);
  });

  it('takes a brought-in CA by the bytes of its subject and its own key id', () => {
    const { root } = ca();
    const spki = leafKeys['ECDSA-P256'];
    const foreign = {
      ...root,
      subjectDer: nameDer([{ type: 'organization', value: 'Other' }]),
      keyId: Buffer.from('0102', 'hex'),
    };
    const info = readCertificate(testLeaf(foreign, spki));
    expect(info.issuerDer).toEqual(foreign.subjectDer);
    expect(info.authorityKeyId).toEqual(foreign.keyId);
  });
});

describe('readCertificate', () => {
  it('agrees with node:crypto on certificates of every kind', () => {
    const { root, intermediate } = ca('RSA-2048');
    const leaf = testLeaf(intermediate, leafKeys['RSA-4096'], {
      notAfter: new Date('2063-04-05T11:00:00Z'),
    });
    for (const der of [root.der, intermediate.der, leaf]) {
      const info = readCertificate(der);
      const node = new X509Certificate(der);
      expect(info.serial).toBe(BigInt(`0x${node.serialNumber}`));
      expect(info.notBefore).toEqual(new Date(node.validFrom));
      expect(info.notAfter).toEqual(new Date(node.validTo));
      expect(info.isCa).toBe(node.ca);
      expect(info.spki).toEqual(spkiOf(node.publicKey));
    }
  });
});

describe('keys', () => {
  it.each(leafKeyAlgorithms)(
    '%s: key.pem loads, in the form of certificates.md 3.2',
    async (name) => {
      const { privateKey, publicKey } = await generateKeys(name);
      const pem = privateKeyPem(privateKey);
      const label = name.startsWith('RSA') ? 'RSA PRIVATE KEY' : 'PRIVATE KEY';
      expect(pem.startsWith(`-----BEGIN ${label}-----\n`)).toBe(true);
      expect(spkiOf(createPrivateKey(pem))).toEqual(spkiOf(publicKey));
      expect(readPrivateKey(pem).algorithm).toBe(name);
      const file = folder.put(`${name}.key`, pem);
      expect((await openssl('pkey', '-check', '-noout', '-in', file)).code).toBe(0);
    },
  );
});
