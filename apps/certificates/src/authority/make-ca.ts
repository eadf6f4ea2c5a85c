import type { KeyObject } from 'node:crypto';
import {
  certificate,
  crossExtensions,
  generateKeys,
  intermediateExtensions,
  keyIdOf,
  newSerial,
  rootExtensions,
  selfIssuer,
  spkiOf,
  type Issuer,
  type KeyPair,
  type NameAttribute,
} from '@glacis/pki';
import type { CertificatesSettings } from '../settings.js';
import { issuerIdOf, type IssuerKind } from './issuer.entity.js';
import type { StatusUrls } from './status-urls.js';

/** A CA certificate that is not stored yet. */
export interface MadeCa {
  kind: IssuerKind;
  id: string;
  der: Buffer;
  notAfter: Date;
  /** Null: offline, or of a cross certificate. */
  privateKey: KeyObject | null;
}

/** A root as the signer of other CAs. */
export interface RootSigner {
  id: string;
  issuer: Issuer;
  notAfter: Date;
}

/** The name and key that a cross certificate takes over. */
export interface CrossSubject {
  subjectDer: Buffer;
  spki: Buffer;
  notAfter: Date;
}

export interface Making {
  settings: CertificatesSettings;
  urls: StatusUrls | undefined;
  now: Date;
}

/** Clocks of clients run slow: what we sign begins a minute ago. */
export const backdateMs = 60_000;

/** `O=<organization>, CN=<organization> Root CA <n> <k>`; k makes the name of every key its own. */
function caName(organization: string, what: string, keys: KeyPair): NameAttribute[] {
  const k = keyIdOf(keys.publicKey).toString('hex').slice(0, 8);
  return [
    { type: 'organization', value: organization },
    { type: 'commonName', value: `${organization} ${what} ${k}` },
  ];
}

const trustDomainUri = (settings: CertificatesSettings): string =>
  `spiffe://${settings.trustDomain}`;

const begin = (now: Date): Date => new Date(now.getTime() - backdateMs);

/** Makes key and self-signed certificate of the root number n. */
export async function makeRoot(
  { settings, now }: Making,
  n: number,
): Promise<MadeCa & { signer: RootSigner; subject: CrossSubject }> {
  const keys = await generateKeys(settings.caKeyAlgorithm);
  const subject = caName(settings.organization, `Root CA ${n}`, keys);
  const issuer = selfIssuer(subject, keys);
  const notAfter = new Date(now.getTime() + settings.rootTtl);
  const der = certificate({
    serial: newSerial(),
    issuer,
    subject,
    publicKey: keys.publicKey,
    notBefore: begin(now),
    notAfter,
    extensions: rootExtensions({ publicKey: keys.publicKey, uri: trustDomainUri(settings) }),
  });
  const id = issuerIdOf(der);
  return {
    kind: 'root',
    id,
    der,
    notAfter,
    privateKey: keys.privateKey,
    signer: { id, issuer, notAfter },
    subject: { subjectDer: issuer.subjectDer, spki: spkiOf(keys.publicKey), notAfter },
  };
}

/** Makes the key of the intermediate number n and its certificate, signed by the root. */
export async function makeIntermediate(
  root: RootSigner,
  { settings, urls, now }: Making,
  n: number,
): Promise<MadeCa> {
  const keys = await generateKeys(settings.caKeyAlgorithm);
  const notAfter = earlier(new Date(now.getTime() + settings.intermediateTtl), root.notAfter);
  const der = certificate({
    serial: newSerial(),
    issuer: root.issuer,
    subject: caName(settings.organization, `Issuing CA ${n}`, keys),
    publicKey: keys.publicKey,
    notBefore: begin(now),
    notAfter,
    extensions: intermediateExtensions({
      issuer: root.issuer,
      publicKey: keys.publicKey,
      uri: trustDomainUri(settings),
      pointers: pointersTo(root, urls),
    }),
  });
  return { kind: 'intermediate', id: issuerIdOf(der), der, notAfter, privateKey: keys.privateKey };
}

/** Signs the name and key of one root with another, so that clients of the other verify what is under the one. */
export function makeCross(
  subject: CrossSubject,
  root: RootSigner,
  { settings, urls, now }: Making,
): MadeCa {
  const notAfter = earlier(subject.notAfter, root.notAfter);
  const der = certificate({
    serial: newSerial(),
    issuer: root.issuer,
    subject: subject.subjectDer,
    publicKey: subject.spki,
    notBefore: begin(now),
    notAfter,
    extensions: crossExtensions({
      issuer: root.issuer,
      publicKey: subject.spki,
      uri: trustDomainUri(settings),
      pointers: pointersTo(root, urls),
    }),
  });
  return { kind: 'cross', id: issuerIdOf(der), der, notAfter, privateKey: null };
}

const pointersTo = (
  root: RootSigner,
  urls: StatusUrls | undefined,
): { caIssuers: string; crl: string } | undefined =>
  urls && { caIssuers: urls.issuer(root.id), crl: urls.rootCrl(root.id) };

const earlier = (a: Date, b: Date): Date => (a < b ? a : b);
