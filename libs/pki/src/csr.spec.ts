import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPublicKey, sign } from 'node:crypto';
import { derOf, openssl, testFolder } from '../test/support.js';
import * as der from './der.js';
import { bareCsr, CsrError, generateKeys, readCsr, spkiOf, toPem } from './index.js';
import { keyAlgorithmOf } from './key-rules.js';

const folder = testFolder();

/** A CSR in PEM as `openssl req` makes it. */
async function opensslCsr(algorithm: string[], ...more: (string | string[])[]): Promise<string> {
  const out = join(folder.path, 'csr.pem');
  const { code, output } = await openssl(
    ['req', '-new', '-newkey', ...algorithm, '-nodes', '-keyout', join(folder.path, 'csr.key')],
    ['-subj', '/CN=ignored', '-out', out],
    ...more,
  );
  if (code !== 0) throw new Error(output);
  return readFileSync(out, 'utf8');
}

const p256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

const codeOf = (csr: Parameters<typeof readCsr>[0]): string => {
  try {
    readCsr(csr);
    return 'accepted';
  } catch (error) {
    return error instanceof CsrError ? error.code : String(error);
  }
};

describe('readCsr', () => {
  it.each([
    ['ECDSA-P256', p256],
    ['ECDSA-P384', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['ECDSA-P521', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-521']],
    ['RSA-2048', ['rsa:2048']],
    ['RSA-3072', ['rsa:3072']],
    ['Ed25519', ['ed25519']],
  ])('reads a request of openssl with a key of %s', async (algorithm, newkey) => {
    const csr = readCsr(await opensslCsr(newkey));
    expect(csr).toMatchObject({
      keyAlgorithm: algorithm,
      ipAddresses: [],
      dnsNames: [],
      serverAuth: false,
      evidence: [],
    });
    expect(keyAlgorithmOf(createPublicKey({ key: csr.spki, format: 'der', type: 'spki' }))).toBe(
      algorithm,
    );
  });

  it('takes names, serverAuth and evidence; ignores URIs, e-mail addresses and the rest', async () => {
    const csr = readCsr(
      await opensslCsr(
        p256,
        '-addext',
        'subjectAltName=IP:10.0.0.1,IP:2001:DB8::1,DNS:Host.example.com,DNS:*.example.com,URI:spiffe://x/y,email:a@b.c',
        ['-addext', 'extendedKeyUsage=clientAuth,serverAuth'],
        ['-addext', '2.99999.1.0=critical,DER:0403010203', '-addext', '1.2.3.4.9=DER:0500'],
        ['-addext', 'basicConstraints=CA:FALSE', '-addext', 'keyUsage=digitalSignature'],
      ),
    );
    expect(csr.ipAddresses).toEqual(['10.0.0.1', '2001:db8::1']);
    expect(csr.dnsNames).toEqual(['Host.example.com', '*.example.com']);
    expect(csr.serverAuth).toBe(true);
    const oid = der.oid('2.99999.1.0');
    expect(csr.evidence).toEqual([
      der.sequence(oid, der.octetString(Buffer.from('0403010203', 'hex'))),
    ]);
  });

  it('reads every form: PEM, base64 of PEM, base64 of DER, DER, and the older PEM label', async () => {
    const pem = await opensslCsr(p256);
    const bytes = derOf(pem);
    const forms = [
      pem,
      `text before\n${pem.replaceAll('\n', '\r\n')}`,
      Buffer.from(pem).toString('base64'),
      bytes.toString('base64'),
      bytes.toString('base64').replace(/.{64}/g, '$&\n'),
      bytes,
      toPem('NEW CERTIFICATE REQUEST', bytes),
    ];
    for (const form of forms) expect(readCsr(form).keyAlgorithm).toBe('ECDSA-P256');
  });

  it.each([
    ['RSA under 2048 bits', ['rsa:1024'], []],
    ['another curve', ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'], []],
    ['another kind of key', ['ed448'], []],
    ['explicit curve parameters', [...p256, '-pkeyopt', 'ec_param_enc:explicit'], []],
    ['a SHA-1 signature', ['rsa:2048'], ['-sha1']],
    ['a request for a CA', p256, ['-addext', 'basicConstraints=critical,CA:TRUE']],
    ['a request for keyCertSign', p256, ['-addext', 'keyUsage=digitalSignature,keyCertSign']],
    ['a request for cRLSign', p256, ['-addext', 'keyUsage=cRLSign']],
  ])('rejects %s', async (_name, newkey, more) => {
    expect(codeOf(await opensslCsr(newkey, ...more))).toBe('rejected');
  });

  it.each(['1.2.3.4.5.6', '2.99999.1.0', '2.5.29.37', '2.5.29.17', '2.5.29.19', '2.5.29.15'])(
    'calls a request that names the extension %s twice malformed',
    async (id) => {
      const { privateKey, publicKey } = await generateKeys('ECDSA-P256');
      const value = der.octetString(Buffer.from('040100', 'hex'));
      const asked = der.sequence(der.oid(id), value);
      const request = (...extensions: Buffer[]): Buffer => {
        const attribute = der.sequence(
          der.oid('1.2.840.113549.1.9.14'),
          der.tlv(0x31, [der.sequence(...extensions)]),
        );
        const info = der.sequence(
          der.integer(0),
          der.sequence(),
          spkiOf(publicKey),
          der.explicit(0, attribute),
        );
        return der.sequence(
          info,
          der.sequence(der.oid('1.2.840.10045.4.3.2')),
          der.bitString(sign('sha256', info, privateKey)),
        );
      };
      if (id.startsWith('1.') || id.startsWith('2.99')) {
        expect(readCsr(request(asked)).evidence).toEqual([asked]);
      }
      expect(codeOf(request(asked, asked))).toBe('malformed');
    },
  );

  it('calls a wrong signature malformed', async () => {
    const bytes = Buffer.from(derOf(await opensslCsr(p256)));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    expect(codeOf(bytes)).toBe('malformed');
  });

  it('calls the signature of another key malformed', async () => {
    const [one, other] = [await generateKeys('ECDSA-P256'), await generateKeys('ECDSA-P256')];
    const key = spkiOf(one.publicKey);
    const info = der.sequence(der.integer(0), der.sequence(), key, der.explicit(0));
    const request = (key: typeof one): Buffer =>
      der.sequence(
        info,
        der.sequence(der.oid('1.2.840.10045.4.3.2')),
        der.bitString(sign('sha256', info, key.privateKey)),
      );
    expect(codeOf(request(one))).toBe('accepted');
    expect(codeOf(request(other))).toBe('malformed');
  });

  it.each([
    ['nothing', ''],
    ['no base64', 'not a CSR!'],
    ['a certificate', toPem('CERTIFICATE', Buffer.from('3000', 'hex'))],
    ['empty PEM', toPem('CERTIFICATE REQUEST', Buffer.alloc(0))],
    ['too long a text', 'A'.repeat(200_000)],
    ['a long run of spaces', ' '.repeat(100_000)],
    ['PEM begins alone', '-----BEGIN CERTIFICATE REQUEST-----\n'.repeat(3_000)],
    ['DER of something else', Buffer.from('3003020101', 'hex')],
    ['too large a DER', Buffer.concat([Buffer.from('3082ffff', 'hex'), Buffer.alloc(65_535)])],
  ])('calls %s malformed', (_name, input) => {
    expect(codeOf(input)).toBe('malformed');
  });
});

it('a bare CSR of ours proves its key to openssl and to our own reader, and asks for nothing', async () => {
  const { privateKey, publicKey } = await generateKeys('ECDSA-P256');
  const file = join(folder.path, 'bare.der');
  writeFileSync(file, bareCsr(privateKey));
  const { code, output } = await openssl([
    'req',
    '-inform',
    'DER',
    '-in',
    file,
    '-verify',
    '-noout',
  ]);
  expect([code, output]).toEqual([0, expect.stringMatching(/verify OK/i)]);
  expect(readCsr(readFileSync(file))).toMatchObject({
    spki: spkiOf(publicKey),
    dnsNames: [],
    ipAddresses: [],
    serverAuth: false,
  });
});
