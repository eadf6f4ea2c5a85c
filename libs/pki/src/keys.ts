import { createHash, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { bytesOf, childrenOf, contentOf, DerError, readOnly } from './der-reader.js';
import { bitString, sequence, tag } from './der.js';
import { oidDer } from './oids.js';

/** Keys that a certificate may be asked for (`certificates.md` 2.2). */
export const leafKeyAlgorithms = ['ECDSA-P256', 'RSA-2048', 'RSA-4096', 'Ed25519'] as const;
export type KeyAlgorithm = (typeof leafKeyAlgorithms)[number];

/** What else a CA may sign with. */
export type CaKeyAlgorithm = KeyAlgorithm | 'ECDSA-P384' | 'ECDSA-P521';

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const generate = promisify(generateKeyPair) as unknown as (
  type: string,
  options: object,
) => Promise<KeyPair>;

const curves = { 'ECDSA-P256': 'P-256', 'ECDSA-P384': 'P-384', 'ECDSA-P521': 'P-521' } as const;

/** Names that key objects give to curves, by the curve's common name. */
export const curveAlgorithms: Readonly<Record<string, CaKeyAlgorithm>> = {
  prime256v1: 'ECDSA-P256',
  secp384r1: 'ECDSA-P384',
  secp521r1: 'ECDSA-P521',
};

/** Makes a key pair on the thread pool, so that RSA (seconds for 4096 bits) never holds the event loop. */
export function generateKeys(algorithm: CaKeyAlgorithm): Promise<KeyPair> {
  switch (algorithm) {
    case 'RSA-2048':
    case 'RSA-4096':
      return inRsaSlot(() => generate('rsa', { modulusLength: Number(algorithm.slice(4)) }));
    case 'Ed25519':
      return generate('ed25519', {});
    default:
      return generate('ec', { namedCurve: curves[algorithm] });
  }
}

// libuv has four threads for files, name look-ups and cryptography together; two stay free of RSA.
const rsaSlots = 2;
let rsaRunning = 0;
const rsaWaiting: (() => void)[] = [];

async function inRsaSlot<T>(work: () => Promise<T>): Promise<T> {
  if (rsaRunning < rsaSlots) rsaRunning += 1;
  else await new Promise<void>((resolve) => rsaWaiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = rsaWaiting.shift();
    if (next === undefined) rsaRunning -= 1;
    else next();
  }
}

/** The form of `key.pem`: RSA as PKCS#1, all others as PKCS#8 (`certificates.md` 3.2). */
export function privateKeyPem(key: KeyObject): string {
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'pkcs8';
  return key.export({ type, format: 'pem' }).toString();
}

const curveOids: Readonly<Record<string, Buffer>> = {
  'P-256': oidDer.p256,
  'P-384': oidDer.p384,
  'P-521': oidDer.p521,
};

/** SubjectPublicKeyInfo in DER, of a public or private key. */
export function spkiOf(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.asymmetricKeyType === 'ec'
    ? ecSpki(publicKey)
    : publicKey.export({ type: 'spki', format: 'der' });
}

// Written here, since OpenSSL takes longer to encode an EC key than to sign a certificate.
function ecSpki(publicKey: KeyObject): Buffer {
  const { crv = '', x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const curve = curveOids[crv];
  if (curve === undefined) throw new RangeError('curve is not supported');
  const point = [Buffer.of(0x04), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
  return sequence(sequence(oidDer.ecPublicKey, curve), bitString(Buffer.concat(point)));
}

/** Key identifier: SHA-1 over the bits of the public key (RFC 5280 4.2.1.2, method 1). */
export function keyIdOf(key: KeyObject | Buffer): Buffer {
  return createHash('sha1')
    .update(publicKeyBits(asSpki(key)))
    .digest();
}

/** SubjectPublicKeyInfo of a key object, or the bytes as given. */
export const asSpki = (key: KeyObject | Buffer): Buffer =>
  Buffer.isBuffer(key) ? key : spkiOf(key);

/** Content of the BIT STRING of a SubjectPublicKeyInfo, without the count of unused bits. */
export function publicKeyBits(spki: Buffer): Buffer {
  const bits = childrenOf(spki, readOnly(spki))[1];
  if (bits?.tag !== tag.bitString) throw new DerError('no public key bits');
  return contentOf(spki, bits).subarray(1);
}

/** True for an RSA SubjectPublicKeyInfo: such keys may also encipher keys. */
export function isRsa(spki: Buffer): boolean {
  const [algorithm] = childrenOf(spki, readOnly(spki));
  if (algorithm === undefined) throw new DerError('no key algorithm');
  const [id] = childrenOf(spki, algorithm);
  return id !== undefined && bytesOf(spki, id).equals(oidDer.rsaEncryption);
}
