import {
  certificate,
  generateKeys,
  intermediateExtensions,
  keyIdOf,
  newSerial,
  rootExtensions,
  selfIssuer,
  type Issuer,
  type KeyPair,
  type NameAttribute,
} from '@glacis/pki';
import type { CertificatesSettings } from '../settings.js';
import { issuerIdOf } from './issuer.entity.js';
import type { StatusUrls } from './status-urls.js';

export interface MadeCa {
  id: string;
  der: Buffer;
  keys: KeyPair;
  notAfter: Date;
  issuer: Issuer;
}

interface Making {
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
    { type: 'commonName', value: `${organization} ${what} 1 ${k}` },
  ];
}

const trustDomainUri = (settings: CertificatesSettings): string =>
  `spiffe://${settings.trustDomain}`;

/** Makes the key and the self-signed certificate of the first root. */
export async function makeRoot({ settings, now }: Making): Promise<MadeCa> {
  const keys = await generateKeys(settings.caKeyAlgorithm);
  const subject = caName(settings.organization, 'Root CA', keys);
  const issuer = selfIssuer(subject, keys);
  const notAfter = new Date(now.getTime() + settings.rootTtl);
  const der = certificate({
    serial: newSerial(),
    issuer,
    subject,
    publicKey: keys.publicKey,
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter,
    extensions: rootExtensions({ publicKey: keys.publicKey, uri: trustDomainUri(settings) }),
  });
  return { id: issuerIdOf(der), der, keys, notAfter, issuer };
}

/** Makes the key of the first intermediate and its certificate, signed by the root. */
export async function makeIntermediate(root: MadeCa, making: Making): Promise<MadeCa> {
  const { settings, urls, now } = making;
  const keys = await generateKeys(settings.caKeyAlgorithm);
  const subject = caName(settings.organization, 'Issuing CA', keys);
  const notAfter = new Date(
    Math.min(now.getTime() + settings.intermediateTtl, root.notAfter.getTime()),
  );
  const der = certificate({
    serial: newSerial(),
    issuer: root.issuer,
    subject,
    publicKey: keys.publicKey,
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter,
    extensions: intermediateExtensions({
      issuer: root.issuer,
      publicKey: keys.publicKey,
      uri: trustDomainUri(settings),
      pointers: urls && { caIssuers: urls.issuer(root.id), crl: urls.rootCrl(root.id) },
    }),
  });
  return { id: issuerIdOf(der), der, keys, notAfter, issuer: selfIssuer(subject, keys) };
}
