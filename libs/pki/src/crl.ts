import type { Issuer } from './certificate.js';
import * as der from './der.js';
import { extension, extensionDer } from './extensions.js';
import { oidDer } from './oids.js';
import { signatureAlgorithm, signed } from './signing.js';

/** One revoked certificate in DER, to be stored and joined later; reason 0 is left out (RFC 5280 5.3.1). */
export function crlEntry(entry: { serial: bigint; revokedAt: Date; reason: number }): Buffer {
  const parts = [der.integer(entry.serial), der.time(entry.revokedAt)];
  if (entry.reason !== 0) {
    parts.push(der.sequence(extensionDer(oidDer.reasonCode, der.enumerated(entry.reason))));
  }
  return der.sequence(...parts);
}

export interface CrlSpec {
  issuer: Issuer;
  /** As `crlEntry` makes them, in the order to be written. */
  entries: readonly Buffer[];
  /** cRLNumber: rises with every CRL of a scope. */
  number: bigint;
  thisUpdate: Date;
  nextUpdate: Date;
  /** Only the end-entity certificates that point to this URL; without it the CRL is complete for its issuer. */
  scope?: { url: string };
}

/** Makes and signs a CRL (RFC 5280 5, v2). DER. */
export function crl(spec: CrlSpec): Buffer {
  const { issuer, entries } = spec;
  const version2 = der.integer(1);
  const extensions = [
    extension.authorityKeyId(issuer.keyId),
    extensionDer(oidDer.crlNumber, der.integer(spec.number)),
  ];
  if (spec.scope !== undefined) extensions.push(extension.issuingDistributionPoint(spec.scope.url));
  const toBeSigned = der.sequence(
    version2,
    signatureAlgorithm(issuer.privateKey),
    issuer.subjectDer,
    der.time(spec.thisUpdate),
    der.time(spec.nextUpdate),
    ...(entries.length === 0 ? [] : [der.tlv(der.tag.sequence, entries)]),
    der.explicit(0, der.sequence(...extensions)),
  );
  return signed(toBeSigned, issuer.privateKey);
}
