import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { bitString, oid, sequence } from './der.js';
import { keyAlgorithmOf, readPublicKey } from './key-rules.js';
import { publicKeyBits } from './keys.js';
import { openssl, testFolder } from '../test/support.js';
import { generateKeys, KeyError, readPrivateKey, spkiOf } from './index.js';

const folder = testFolder();

async function generated([command = '', ...args]: string[]): Promise<string> {
  const out = join(folder.path, 'key.pem');
  const { code, output } = await openssl(command, '-out', out, ...args);
  if (code !== 0) throw new Error(output);
  return readFileSync(out, 'utf8');
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return error instanceof KeyError ? error.code : String(error);
  }
};

describe('readPrivateKey', () => {
  it.each([
    [
      'PKCS#8',
      'ECDSA-P384',
      ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    ],
    ['PKCS#8', 'Ed25519', ['genpkey', '-algorithm', 'ed25519']],
    ['PKCS#1', 'RSA-2048', ['genrsa', '-traditional', '2048']],
    ['SEC1 with its parameters', 'ECDSA-P521', ['ecparam', '-name', 'secp521r1', '-genkey']],
  ])('reads %s: %s', async (_form, algorithm, args) => {
    expect(readPrivateKey(await generated(args)).algorithm).toBe(algorithm);
  });

  it.each([
    ['weak RSA', ['genrsa', '1024']],
    ['another curve', ['ecparam', '-name', 'secp256k1', '-genkey']],
    ['X25519', ['genpkey', '-algorithm', 'x25519']],
  ])('rejects %s', async (_name, args) => {
    const pem = await generated(args);
    expect(codeOf(() => readPrivateKey(pem))).toBe('rejected');
  });

  it('calls an encrypted, a public, a broken and a missing key malformed', async () => {
    const encrypted = await generated('genpkey -algorithm ed25519 -aes256 -pass pass:x'.split(' '));
    const { publicKey } = await generateKeys('Ed25519');
    const broken = '-----BEGIN PRIVATE KEY-----\nMAAB\n-----END PRIVATE KEY-----\n';
    const texts = [
      encrypted,
      publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      broken,
      '',
      'x'.repeat(70_000),
    ];
    for (const pem of texts) expect(codeOf(() => readPrivateKey(pem))).toBe('malformed');
  });
});

describe('readPublicKey', () => {
  it('reads what spkiOf writes, of public and private keys alike', async () => {
    const { publicKey, privateKey } = await generateKeys('ECDSA-P256');
    expect(spkiOf(privateKey)).toEqual(spkiOf(publicKey));
    expect(readPublicKey(spkiOf(publicKey)).algorithm).toBe('ECDSA-P256');
    expect(keyAlgorithmOf(privateKey)).toBe('ECDSA-P256');
  });

  it('rejects a compressed point', async () => {
    const pem = await generated([
      'genpkey',
      '-algorithm',
      'EC',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
    ]);
    const out = join(folder.path, 'compressed.der');
    await openssl(
      ['ec', '-in', folder.put('plain.pem', pem), '-pubout', '-conv_form', 'compressed'],
      ['-outform', 'DER', '-out', out],
    );
    expect(codeOf(() => readPublicKey(readFileSync(out)))).toBe('rejected');
  });

  it('rejects an RSA key without the NULL of its algorithm', async () => {
    const spki = spkiOf((await generateKeys('RSA-2048')).publicKey);
    const bits = publicKeyBits(spki);
    const bare = sequence(sequence(oid('1.2.840.113549.1.1.1')), bitString(bits));
    expect(codeOf(() => readPublicKey(bare))).toBe('rejected');
  });

  it('calls a key with trailing bytes malformed', async () => {
    const spki = spkiOf((await generateKeys('ECDSA-P256')).publicKey);
    const longer = Buffer.concat([spki, Buffer.of(0)]);
    expect(codeOf(() => readPublicKey(longer))).toBe('malformed');
  });

  it('calls a point that is not on its curve malformed', async () => {
    const spki = Buffer.from(spkiOf((await generateKeys('ECDSA-P256')).publicKey));
    spki[spki.length - 1] = (spki[spki.length - 1] ?? 0) ^ 1;
    expect(codeOf(() => readPublicKey(spki))).toBe('malformed');
  });
});

describe('spkiOf', () => {
  it.each(['ECDSA-P256', 'ECDSA-P384', 'ECDSA-P521', 'Ed25519', 'RSA-2048'] as const)(
    '%s: writes what OpenSSL does',
    async (algorithm) => {
      const { publicKey, privateKey } = await generateKeys(algorithm);
      const expected = publicKey.export({ type: 'spki', format: 'der' });
      expect(spkiOf(publicKey)).toEqual(expected);
      expect(spkiOf(privateKey)).toEqual(expected);
    },
  );
});

describe('generateKeys', () => {
  it('makes RSA keys off the event loop, two at a time, and all that were asked for', async () => {
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 1);
    const pairs = await Promise.all(Array.from({ length: 5 }, () => generateKeys('RSA-2048')));
    clearInterval(counting);
    expect(new Set(pairs.map((pair) => spkiOf(pair.publicKey).toString('hex'))).size).toBe(5);
    expect(turns).toBeGreaterThan(0);
  });
});
