import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { builtIns, ResourceType } from '@glacis/kube';
import { fromPem, readCertificate, readCsr, spkiOf } from '@glacis/pki';
import type { CertificateNames } from './backend-input.js';
import { notes } from './tee-manager.js';

type TypeOf<R> = R extends ResourceType<infer T> ? T : never;
export type Secret = TypeOf<(typeof builtIns)['secrets']>;

/** Names in the Secret. The Pod sees the first three alone. */
export const files = {
  roots: 'ca.pem',
  certificate: 'cert.pem',
  key: 'key.pem',
  /** A key that there is no certificate for yet, and the request for one. */
  nextKey: 'next-key.pem',
  nextRequest: 'next-request.pem',
} as const;

/** Name of the Secret of a TeeManager. */
export const secretName = (manager: string): string => `${manager}-manager-tls`;

export interface HeldCertificate {
  serial: string;
  notBefore: Date;
  notAfter: Date;
  names: CertificateNames;
  algorithm: string;
}

export interface PendingRequest {
  names: CertificateNames;
  algorithm: string;
  csr: string;
  keyPem: string;
}

/** What a Secret says; a part that cannot be used is absent. */
export interface TlsState {
  /** With a key that fits. */
  certificate?: HeldCertificate;
  pending?: PendingRequest;
  /** Serials to be revoked once the new one is in use. */
  superseded: string[];
  /** The reissue wish that its certificate has fulfilled. */
  reissue?: string;
}

export function readTlsSecret(secret: Secret | undefined): TlsState {
  const annotations = secret?.metadata.annotations ?? {};
  const text = (file: string): string =>
    Buffer.from(secret?.data?.[file] ?? '', 'base64').toString();
  return {
    certificate: usable(() => heldOf(text(files.certificate), text(files.key))),
    pending: usable(() => pendingOf(text(files.nextRequest), text(files.nextKey))),
    superseded: (annotations[notes.superseded] ?? '').split(',').filter((serial) => serial !== ''),
    reissue: annotations[notes.reissue],
  };
}

/** Somebody may have written anything into it. */
function usable<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function heldOf(certificatePem: string, keyPem: string): HeldCertificate | undefined {
  const leaf = fromPem(certificatePem)[0];
  if (leaf === undefined) return undefined;
  const { serial, spki, notBefore, notAfter, dnsNames, ipAddresses } = readCertificate(leaf.der);
  const key = createPrivateKey(keyPem);
  if (!spkiOf(key).equals(spki)) return undefined;
  const names = { dnsNames, ipAddresses };
  return { serial: serial.toString(), notBefore, notAfter, names, algorithm: algorithmOf(key) };
}

function pendingOf(csr: string, keyPem: string): PendingRequest | undefined {
  const request = fromPem(csr)[0];
  if (request === undefined) return undefined;
  const { spki, dnsNames, ipAddresses, keyAlgorithm } = readCsr(request.der);
  if (!spkiOf(createPrivateKey(keyPem)).equals(spki)) return undefined;
  return { names: { dnsNames, ipAddresses }, algorithm: keyAlgorithm, csr, keyPem };
}

/** As TeeManagers name it. */
function algorithmOf(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return `RSA-${key.asymmetricKeyDetails?.modulusLength}`;
    case 'ed25519':
      return 'Ed25519';
    default:
      return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ECDSA-P256' : 'other';
  }
}
