export * from './addresses.js';
export { canonicalAddress, canonicalHost, type CanonicalAddress } from './canonical-address.js';
export * from './certificate.js';
export * from './certs-only.js';
export * from './crl.js';
export * from './csr.js';
export type { CsrAnswer } from './csr-thread.js';
export { bareCsr, namedCsr, renewalCsr } from './write-csr.js';
export { DerError } from './der-reader.js';
export { rewrap, seal, SealBrokenError, unseal, type Binding, type Sealed } from './envelope.js';
export { extension, type AlternativeNames, type KeyUsage } from './extensions.js';
export * from './host-names.js';
export { KekUnavailableError, loadKeks, type Kek, type KekRing } from './kek.js';
export { KeyError, readPrivateKey } from './key-rules.js';
export {
  generateKeys,
  keyIdOf,
  leafKeyAlgorithms,
  privateKeyPem,
  spkiOf,
  type CaKeyAlgorithm,
  type KeyAlgorithm,
  type KeyPair,
} from './keys.js';
export { sameName } from './name-matching.js';
export * from './names.js';
export { oids } from './oids.js';
export * from './ocsp-request.js';
export * from './ocsp-response.js';
export * from './pem.js';
export { pkcs12, type Pkcs12Spec } from './pkcs12.js';
export * from './profiles.js';
export * from './read-certificate.js';
export * from './read-crl.js';
export * from './serials.js';
export { spiffeUri, type SpiffeSubject } from './spiffe.js';
export { isSignedBy } from './verify-signature.js';
