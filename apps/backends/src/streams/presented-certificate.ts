import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { PresentedCertificate } from './admission.js';

/** The client certificate of a verified handshake, with the dates that the handshake has checked for its moment only. */
export interface VerifiedCertificate extends PresentedCertificate {
  notBefore: Date;
}

const cached = new WeakMap<TLSSocket, VerifiedCertificate>();

/** What the client of a mutual-TLS connection presented; undefined when there is no certificate or no issuer. */
export function presentedBy(socket: TLSSocket): VerifiedCertificate | undefined {
  const known = cached.get(socket);
  if (known) return known;
  const leaf = socket.getPeerX509Certificate();
  const issuer = leaf && (issuerSent(leaf) ?? issuerOfOurs(socket, leaf));
  if (!issuer) return undefined;
  const presented = {
    // OpenSSL writes serials as upper-case hex; everywhere else they are decimal text.
    serial: BigInt(`0x${leaf.serialNumber}`).toString(),
    issuerId: plainHex(issuer.fingerprint256).slice(0, 32),
    fingerprintSha256: plainHex(leaf.fingerprint256),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
  };
  cached.set(socket, presented);
  return presented;
}

/** The signer among the certificates that the client sent, which may come in any order and need not belong to the chain. */
function issuerSent(leaf: X509Certificate): X509Certificate | undefined {
  let sent = leaf.issuerCertificate;
  while (sent && !signed(sent, leaf)) sent = sent.issuerCertificate;
  return sent;
}

/** The issuer of a leaf that came without it: the handshake found it among our own CAs. Costs more than the above. */
function issuerOfOurs(socket: TLSSocket, leaf: X509Certificate): X509Certificate | undefined {
  const detailed = socket.getPeerCertificate(true) as Partial<DetailedPeerCertificate> | null;
  const raw = detailed?.issuerCertificate?.raw;
  const issuer = raw && new X509Certificate(raw);
  return issuer && signed(issuer, leaf) ? issuer : undefined;
}

function signed(issuer: X509Certificate, leaf: X509Certificate): boolean {
  return leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey);
}

function plainHex(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
