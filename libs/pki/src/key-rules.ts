import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { childrenOf, readOnly } from './der-reader.js';
import { tag } from './der.js';
import { curveAlgorithms, publicKeyBits, spkiOf } from './keys.js';
import { fromPem } from './pem.js';

/** Greatest RSA modulus taken from outside: verifying with larger ones costs more than it is worth. */
const maxRsaBits = 8192;
const minRsaBits = 2048;

/** A key given from outside cannot be used. `malformed`: no key at all; `rejected`: too weak, or of another kind. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  constructor(
    readonly code: 'malformed' | 'rejected',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The name of a key that may get or sign certificates: `ECDSA-P256`, `-P384`, `-P521`, `Ed25519`, or `RSA-<bits>`
 * from 2048 to 8192 bits.
 * @throws {KeyError} `rejected` for every other.
 */
export function keyAlgorithmOf(key: KeyObject): string {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519';
  if (key.asymmetricKeyType === 'ec') return ecAlgorithm(details.namedCurve);
  if (key.asymmetricKeyType === 'rsa') {
    return rsaAlgorithm(details.modulusLength ?? 0, details.publicExponent ?? 0n);
  }
  throw new KeyError('rejected', 'key type is not supported');
}

function ecAlgorithm(namedCurve: string | undefined): string {
  const algorithm = curveAlgorithms[namedCurve ?? ''];
  if (algorithm === undefined) throw new KeyError('rejected', 'curve is not supported');
  return algorithm;
}

function rsaAlgorithm(bits: number, exponent: bigint): string {
  if (bits < minRsaBits) throw new KeyError('rejected', `RSA key is under ${minRsaBits} bits`);
  if (bits > maxRsaBits) throw new KeyError('rejected', `RSA key is over ${maxRsaBits} bits`);
  if (exponent < 3n || exponent % 2n === 0n) throw new KeyError('rejected', 'RSA exponent is weak');
  return `RSA-${bits}`;
}

/**
 * Reads a SubjectPublicKeyInfo from outside. It must be in the one form that every client reads, Go's among them: EC keys
 * name their curve and give the point uncompressed, others are encoded as we would.
 * @throws {KeyError}
 */
export function readPublicKey(spki: Buffer): { publicKey: KeyObject; algorithm: string } {
  const publicKey = parsed(() => createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  const algorithm = keyAlgorithmOf(publicKey);
  const isEc = publicKey.asymmetricKeyType === 'ec';
  const isPlain = parsed(() => (isEc ? isPlainEcKey(spki) : spkiOf(publicKey).equals(spki)));
  if (!isPlain) throw new KeyError('rejected', 'public key is not in its plain form');
  return { publicKey, algorithm };
}

function isPlainEcKey(spki: Buffer): boolean {
  const [algorithm] = childrenOf(spki, readOnly(spki));
  const curve = algorithm === undefined ? undefined : childrenOf(spki, algorithm)[1];
  return curve?.tag === tag.oid && publicKeyBits(spki)[0] === 0x04;
}

const privateKeyLabels: Readonly<Record<string, 'pkcs8' | 'pkcs1' | 'sec1'>> = {
  'PRIVATE KEY': 'pkcs8',
  'RSA PRIVATE KEY': 'pkcs1',
  'EC PRIVATE KEY': 'sec1',
};

/** Greatest PEM text of a private key that is read, characters. */
const maxKeyText = 65_536;

/**
 * Reads an unencrypted private key in PEM: PKCS#8, PKCS#1 or SEC1; other blocks, as `EC PARAMETERS`, are passed over.
 * @throws {KeyError}
 */
export function readPrivateKey(pem: string): { privateKey: KeyObject; algorithm: string } {
  if (pem.length > maxKeyText) throw new KeyError('malformed', 'private key is too long');
  const block = fromPem(pem).find(({ label }) => Object.hasOwn(privateKeyLabels, label));
  if (block === undefined) throw new KeyError('malformed', 'no unencrypted private key in PEM');
  const type = privateKeyLabels[block.label] ?? 'pkcs8';
  const privateKey = parsed(() => createPrivateKey({ key: block.der, format: 'der', type }));
  return { privateKey, algorithm: keyAlgorithmOf(privateKey) };
}

function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new KeyError('malformed', 'key cannot be read', { cause });
  }
}
