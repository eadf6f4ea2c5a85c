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
  const issuer = leaf?.issuerCertificate?.fingerprint256 ?? issuerOfOurs(socket);
  if (!leaf || !issuer) return undefined;
  const presented = {
    // OpenSSL writes serials as upper-case hex; everywhere else they are decimal text.
    serial: BigInt(`0x${leaf.serialNumber}`).toString(),
    issuerId: plainHex(issuer).slice(0, 32),
    fingerprintSha256: plainHex(leaf.fingerprint256),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
  };
  cached.set(socket, presented);
  return presented;
}

/** The issuer of a leaf that came without it: the handshake found it among our own CAs. Costs more than the above. */
function issuerOfOurs(socket: TLSSocket): string | undefined {
  const leaf = socket.getPeerCertificate(true) as Partial<DetailedPeerCertificate> | null;
  const issuer = leaf?.issuerCertificate;
  return issuer === leaf ? undefined : issuer?.fingerprint256;
}

function plainHex(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toLowerCase();
}
