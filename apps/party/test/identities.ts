import {
  certificate,
  generateKeys,
  leafExtensions,
  newSerial,
  privateKeyPem,
  rootExtensions,
  selfIssuer,
  toPem,
  type AlternativeNames,
  type Issuer,
} from '@glacis/pki';
import type { PartyIdentity } from '../src/links/tls.js';

/** Issues what parties show one another, as the service does. */
export interface TestCa {
  pem: string;
  issuer: Issuer;
  /** A certificate for this URI, with a key of its own. */
  issue(uri: string, ipAddresses?: string[]): Promise<PartyIdentity>;
}

const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + 3_600_000),
});

export const partyUri = (party: number): string => `spiffe://test/tenant/default/party/${party}`;

export async function testCa(): Promise<TestCa> {
  const keys = await generateKeys('ECDSA-P256');
  const subject = [{ type: 'commonName', value: 'job CA' }] as const;
  const issuer = selfIssuer(subject, keys);
  const root = certificate({
    serial: newSerial(),
    issuer,
    subject,
    publicKey: keys.publicKey,
    ...validity(),
    extensions: rootExtensions({ publicKey: keys.publicKey, uri: 'spiffe://test' }),
  });
  const pem = toPem('CERTIFICATE', root);
  return {
    pem,
    issuer,
    issue: (uri, ips) => issue(issuer, pem, { uris: [uri], ipAddresses: ips }),
  };
}

async function issue(issuer: Issuer, ca: string, names: AlternativeNames): Promise<PartyIdentity> {
  const { privateKey, publicKey } = await generateKeys('Ed25519');
  const leaf = certificate({
    serial: newSerial(),
    issuer,
    subject: [{ type: 'commonName', value: 'party' }],
    publicKey,
    ...validity(),
    extensions: leafExtensions({ issuer, publicKey, names, serverAuth: true }),
  });
  return { key: privateKeyPem(privateKey), chain: toPem('CERTIFICATE', leaf), ca };
}
