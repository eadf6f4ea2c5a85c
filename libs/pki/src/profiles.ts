import { extension, type AlternativeNames } from './extensions.js';
import { asSpki, isRsa, keyIdOf } from './keys.js';
import type { KeyObject } from 'node:crypto';

/** Where a certificate says its status is found; whatever is left out is not written. */
export interface StatusPointers {
  ocsp?: string;
  caIssuers?: string;
  crl?: string;
}

interface Subordinate {
  /** Key id of the issuer. */
  issuer: { keyId: Buffer };
  publicKey: KeyObject | Buffer;
}

export interface LeafProfile extends Subordinate {
  names: AlternativeNames;
  /** Adds serverAuth to clientAuth. */
  serverAuth?: boolean;
  /** Tells that nobody need ask of its status (RFC 9608). */
  noRevAvail?: boolean;
  pointers?: StatusPointers;
  /** Further complete extensions, as evidence taken over from a CSR. */
  additional?: readonly Buffer[];
}

export interface CaProfile extends Subordinate {
  /** URI of the trust domain, `spiffe://…`. */
  uri: string;
  /** caIssuers and crl; a CA has no OCSP pointer. */
  pointers?: Omit<StatusPointers, 'ocsp'>;
}

/** Extensions of an end-entity certificate (`certificates.md` 5.1, column leaf). */
export function leafExtensions(profile: LeafProfile): Buffer[] {
  const spki = asSpki(profile.publicKey);
  return [
    ...keyIds(profile.issuer.keyId, keyIdOf(spki)),
    extension.basicConstraints({ ca: false }),
    isRsa(spki)
      ? extension.keyUsage('digitalSignature', 'keyEncipherment')
      : extension.keyUsage('digitalSignature'),
    profile.serverAuth
      ? extension.extKeyUsage('clientAuth', 'serverAuth')
      : extension.extKeyUsage('clientAuth'),
    extension.subjectAltName(profile.names),
    ...pointerExtensions(profile.pointers ?? {}),
    ...(profile.noRevAvail ? [extension.noRevAvail()] : []),
    ...(profile.additional ?? []),
  ];
}

/** Extensions of an issuing CA: it signs leaves only (path length 0). */
export function intermediateExtensions(profile: CaProfile): Buffer[] {
  return caExtensions(profile, 0);
}

/** Extensions of a cross certificate: name and key of a newer root, signed by the older. */
export function crossExtensions(profile: CaProfile): Buffer[] {
  return caExtensions(profile);
}

/** Extensions of a self-signed root; without a path length, which would forbid a later cross certificate. */
export function rootExtensions(profile: { publicKey: KeyObject | Buffer; uri: string }): Buffer[] {
  return caExtensions({ ...profile, issuer: { keyId: keyIdOf(profile.publicKey) } });
}

/** Extensions of a delegated OCSP responder (RFC 6960 4.2.2.2), exempt from status checks itself. */
export function responderExtensions(profile: Subordinate): Buffer[] {
  return [
    ...keyIds(profile.issuer.keyId, keyIdOf(profile.publicKey)),
    extension.basicConstraints({ ca: false }),
    extension.keyUsage('digitalSignature'),
    extension.extKeyUsage('ocspSigning'),
    extension.ocspNoCheck(),
  ];
}

function caExtensions(profile: CaProfile, pathLength?: number): Buffer[] {
  return [
    ...keyIds(profile.issuer.keyId, keyIdOf(profile.publicKey)),
    extension.basicConstraints({ ca: true, pathLength }),
    extension.keyUsage('keyCertSign', 'cRLSign'),
    extension.subjectAltName({ uris: [profile.uri] }),
    ...pointerExtensions(profile.pointers ?? {}),
  ];
}

const keyIds = (authority: Buffer, subject: Buffer): Buffer[] => [
  extension.subjectKeyId(subject),
  extension.authorityKeyId(authority),
];

function pointerExtensions({ ocsp, caIssuers, crl }: StatusPointers): Buffer[] {
  const extensions: Buffer[] = [];
  if (ocsp !== undefined || caIssuers !== undefined) {
    extensions.push(extension.authorityInfoAccess({ ocsp, caIssuers }));
  }
  if (crl !== undefined) extensions.push(extension.crlDistributionPoints(crl));
  return extensions;
}
