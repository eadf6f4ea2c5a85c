import type { TLSSocket } from 'node:tls';

/** The certificate that a client presented in its handshake and proved to hold the key of. */
export interface PresentedCertificate {
  serial: string;
  fingerprintSha256: Buffer;
  /** All that its chain lacks is time. */
  hasExpired: boolean;
}

/** Undefined without one, and for one that no CA of ours has signed. */
export function presentedBy(socket: TLSSocket): PresentedCertificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  const hasExpired = String(socket.authorizationError) === 'CERT_HAS_EXPIRED';
  if (leaf === undefined || !(socket.authorized || hasExpired)) return undefined;
  return {
    serial: BigInt(`0x${leaf.serialNumber}`).toString(),
    fingerprintSha256: Buffer.from(leaf.fingerprint256.replaceAll(':', ''), 'hex'),
    hasExpired,
  };
}
