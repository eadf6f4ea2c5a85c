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
  const others = certificates
    .map((der) => new X509Certificate(der))
    .filter((certificate) => !isRoot(certificate));
  const chain = [new X509Certificate(leaf)];
  for (;;) {
    const last = chain.at(-1) as X509Certificate;
    const issuer = others.find((other) => !chain.includes(other) && isSignedBy(last, other));
    if (issuer === undefined) return chain.map(String).join('');
    chain.push(issuer);
  }
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
