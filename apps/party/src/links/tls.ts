import { X509Certificate } from 'node:crypto';
import { constants } from 'node:crypto';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { LinkError } from './link-error.js';

/** With what a party shows who it is, and by what it knows its peers. PEM. */
export interface PartyIdentity {
  key: string;
  chain: string;
  ca: string;
}

/** TLS 1.3 only and nothing to resume by (jobs.md 11.10). */
export function tlsOptions({ key, chain, ca }: PartyIdentity): SecureContextOptions {
  return {
    key,
    cert: chain,
    ca,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** The URIs that a certificate is for. Node quotes names that contain the separator, so that none can pass for two. */
function urisOf(certificate: X509Certificate): string[] {
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return names.filter((name) => name.startsWith('URI:')).map((name) => name.slice(4));
}

/**
 * The certificate of a connection, whose chain TLS has checked, is for exactly this URI and made for this connection.
 * @throws {LinkError} `peer_refused`
 */
export function checkPeer(socket: TLSSocket, uri: string): void {
  const { raw } = socket.getPeerCertificate();
  const uris = socket.authorized && raw ? urisOf(new X509Certificate(raw)) : [];
  if (uris.length !== 1 || uris[0] !== uri || socket.isSessionReused())
    throw new LinkError('protocol', 'peer_refused', 'the certificate of a peer is for another');
}

/** The key that the two ends of this connection share and nobody else (RFC 8446 7.5; label and context of 11.4). */
export function linkKey(socket: TLSSocket, job: string, attempt: number): Uint8Array {
  const context = Buffer.from(`${job}${attempt}`);
  return new Uint8Array(socket.exportKeyingMaterial(32, 'EXPORTER-glacis-mpc-1', context));
}
