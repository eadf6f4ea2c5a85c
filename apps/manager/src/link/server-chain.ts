import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';

/** Longest chain that is followed: leaf, intermediate, cross certificates, root. */
const maxLength = 6;

/**
 * The server's chain from leaf to root with every signature checked and a root from the CA file at its end. Node
 * reports issuers by name alone, so a chain as reported could hold a certificate that nobody verified.
 * @throws {Error} when it is not such a chain
 */
export function verifiedChain(peer: PeerCertificate, caPem: string): X509Certificate[] {
  const roots = certificatesIn(caPem);
  const chain: X509Certificate[] = [];
  let reported: PeerCertificate | undefined = peer;
  while (reported !== undefined && chain.length < maxLength) {
    const certificate = new X509Certificate(reported.raw);
    const below = chain.at(-1);
    if (below && !below.verify(certificate.publicKey))
      throw new Error('server chain does not hold');
    chain.push(certificate);
    if (roots.some((root) => root.fingerprint256 === certificate.fingerprint256)) return chain;
    reported = (reported as Partial<DetailedPeerCertificate>).issuerCertificate;
  }
  throw new Error('server chain ends at no root of the CA file');
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks
    .map((block) => new X509Certificate(block))
    .filter((certificate) => certificate.subject === certificate.issuer);
}
