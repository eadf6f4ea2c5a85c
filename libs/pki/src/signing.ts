import { sign, type KeyObject } from 'node:crypto';
import { bitString, NULL, sequence } from './der.js';
import { oidDer } from './oids.js';

interface SignatureAlgorithm {
  /** AlgorithmIdentifier in DER. */
  der: Buffer;
  /** Hash name for node:crypto; null where the scheme hashes by itself. */
  hash: string | null;
}

const algorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  prime256v1: { der: sequence(oidDer.ecdsaWithSha256), hash: 'sha256' },
  secp384r1: { der: sequence(oidDer.ecdsaWithSha384), hash: 'sha384' },
  secp521r1: { der: sequence(oidDer.ecdsaWithSha512), hash: 'sha512' },
  rsa: { der: sequence(oidDer.sha256WithRsa, NULL), hash: 'sha256' },
  ed25519: { der: sequence(oidDer.ed25519), hash: null },
};

function algorithmOf(key: KeyObject): SignatureAlgorithm {
  const kind = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? '';
  const algorithm = algorithms[kind];
  if (algorithm === undefined) throw new RangeError(`cannot sign with a key of type ${kind}`);
  return algorithm;
}

/** AlgorithmIdentifier of the signatures that a key makes (`certificates.md` 5.1). */
export const signatureAlgorithm = (key: KeyObject): Buffer => algorithmOf(key).der;

/** Certificate, CRL or OCSP response: the part to be signed, the algorithm, the signature, and what follows it. */
export function signed(toBeSigned: Buffer, key: KeyObject, ...after: Buffer[]): Buffer {
  const { der, hash } = algorithmOf(key);
  return sequence(toBeSigned, der, bitString(sign(hash, toBeSigned, key)), ...after);
}
