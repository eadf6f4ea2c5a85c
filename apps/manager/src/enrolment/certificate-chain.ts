import { X509Certificate } from 'node:crypto';

/** True for a certificate signed with its own key. */
export const isRoot = (certificate: X509Certificate): boolean =>
  isSignedBy(certificate, certificate);

/** The roots among certificates, in PEM. */
export function rootsPem(certificates: readonly Buffer[]): string {
  return certificates
    .map((der) => new X509Certificate(der))
    .filter(isRoot)
    .map(String)
    .join('');
}

/**
 * A leaf and what leads from it to a root, in PEM, without the root: its intermediate and, while two roots are in
 * service, the cross certificate.
 */
export function chainPem(leaf: Buffer, certificates: readonly Buffer[]): string {
  const all = certificates.map((der) => new X509Certificate(der));
  const roots = all.filter(isRoot);
  const others = all.filter((certificate) => !isRoot(certificate));
  const chain: X509Certificate[] = [];
  let next: X509Certificate | undefined = new X509Certificate(leaf);
  while (next !== undefined) {
    const last: X509Certificate = next;
    chain.push(last);
    // Two roots cross-sign each other: beyond the first cross certificate the way only leads back.
    const isCross = roots.some((root) => root.publicKey.equals(last.publicKey));
    next = isCross
      ? undefined
      : others.find((other) => !chain.includes(other) && isSignedBy(last, other));
  }
  return chain.map(String).join('');
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
