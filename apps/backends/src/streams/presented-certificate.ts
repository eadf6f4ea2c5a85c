import { createHash } from 'node:crypto';
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
  // Null once the socket is destroyed, empty without a certificate.
  const leaf = socket.getPeerCertificate(true) as Partial<DetailedPeerCertificate> | null;
  const issuer = leaf?.issuerCertificate;
  if (!leaf?.raw || !issuer?.raw || issuer.raw.equals(leaf.raw)) return undefined;
  const presented = {
    serial: BigInt(`0x${leaf.serialNumber}`).toString(),
    issuerId: sha256(issuer.raw).slice(0, 32),
    fingerprintSha256: sha256(leaf.raw),
    notBefore: new Date(leaf.valid_from ?? 0),
    notAfter: new Date(leaf.valid_to ?? 0),
  };
  cached.set(socket, presented);
  return presented;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
