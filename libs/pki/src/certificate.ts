import type { KeyObject } from 'node:crypto';
import { explicit, integer, sequence, time } from './der.js';
import { asSpki, keyIdOf, type KeyPair } from './keys.js';
import { nameDer, type NameAttribute } from './names.js';
import { signatureAlgorithm, signed } from './signing.js';

/** A CA as the signer of certificates and CRLs. */
export interface Issuer {
  /** Subject of its certificate, byte for byte: it becomes the issuer name of what it signs. */
  subjectDer: Buffer;
  /** Its subject key identifier: it becomes the authority key identifier. */
  keyId: Buffer;
  privateKey: KeyObject;
}

export interface CertificateSpec {
  serial: bigint;
  issuer: Issuer;
  /** Attributes, or the Name in DER where it must be taken over byte for byte (renewal, cross certificate). */
  subject: readonly NameAttribute[] | Buffer;
  publicKey: KeyObject | Buffer;
  notBefore: Date;
  notAfter: Date;
  /** Complete extensions, as `leafExtensions` and its siblings make them. */
  extensions: readonly Buffer[];
}

/** The issuer that a root is to itself. */
export function selfIssuer(subject: readonly NameAttribute[], keys: KeyPair): Issuer {
  return {
    subjectDer: nameDer(subject),
    keyId: keyIdOf(keys.publicKey),
    privateKey: keys.privateKey,
  };
}

/** Makes and signs an X.509 v3 certificate; times are cut to their second. DER. */
export function certificate(spec: CertificateSpec): Buffer {
  const { issuer, subject } = spec;
  const version3 = explicit(0, integer(2));
  const toBeSigned = sequence(
    version3,
    integer(spec.serial),
    signatureAlgorithm(issuer.privateKey),
    issuer.subjectDer,
    sequence(time(spec.notBefore), time(spec.notAfter)),
    Buffer.isBuffer(subject) ? subject : nameDer(subject),
    asSpki(spec.publicKey),
    explicit(3, sequence(...spec.extensions)),
  );
  return signed(toBeSigned, issuer.privateKey);
}
