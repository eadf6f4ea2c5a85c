import type { TLSSocket } from 'node:tls';

/** The certificate that a client presented in its handshake and proved to hold the key of. */
export interface PresentedCertificate {
  serial: string;
  fingerprintSha256: Buffer;
  /**
   * What the handshake says of its chain. `expired`: all that it lacks is time. `broken`: nothing that is in trust has
   * signed it; its issuer may have been, before its key was stolen.
   */
  chain: 'good' | 'expired' | 'broken';
}

/** Undefined without one. */
export function presentedBy(socket: TLSSocket): PresentedCertificate | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return undefined;
  return {
    serial: BigInt(`0x${leaf.serialNumber}`).toString(),
    fingerprintSha256: Buffer.from(leaf.fingerprint256.replaceAll(':', ''), 'hex'),
    chain: chainOf(socket),
  };
}

function chainOf({ authorized, authorizationError }: TLSSocket): PresentedCertificate['chain'] {
  if (authorized) return 'good';
  return String(authorizationError) === 'CERT_HAS_EXPIRED' ? 'expired' : 'broken';
}
