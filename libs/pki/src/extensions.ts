import * as der from './der.js';
import { ipBytes } from './addresses.js';
import { oidDer } from './oids.js';

/** Bits of keyUsage (RFC 5280 4.2.1.3). */
export const keyUsageBits = {
  digitalSignature: 0,
  keyEncipherment: 2,
  keyCertSign: 5,
  cRLSign: 6,
} as const;
export type KeyUsage = keyof typeof keyUsageBits;

export type ExtendedKeyUsage = 'clientAuth' | 'serverAuth' | 'ocspSigning';

export interface AlternativeNames {
  uris?: readonly string[];
  dnsNames?: readonly string[];
  /** IPv4 or IPv6 text. */
  ipAddresses?: readonly string[];
}

/** One Extension in DER from its identifier and value, both in DER. */
export function extensionDer(id: Buffer, value: Buffer, critical = false): Buffer {
  const parts = critical ? [id, der.boolean(true)] : [id];
  return der.sequence(...parts, der.octetString(value));
}

const ia5 = (text: string): Buffer => Buffer.from(text, 'latin1');
const uriName = (uri: string): Buffer => der.implicit(6, ia5(uri));

/** DistributionPointName with one URI: the same bytes in a leaf's pointer and in the CRL that it points to. */
const pointName = (url: string): Buffer => der.explicit(0, der.explicit(0, uriName(url)));

function accessDescriptions(urls: { ocsp?: string; caIssuers?: string }): Buffer[] {
  const descriptions: Buffer[] = [];
  if (urls.ocsp !== undefined) descriptions.push(der.sequence(oidDer.ocsp, uriName(urls.ocsp)));
  if (urls.caIssuers !== undefined) {
    descriptions.push(der.sequence(oidDer.caIssuers, uriName(urls.caIssuers)));
  }
  return descriptions;
}

/** Every extension that this library writes, each as complete Extension DER. */
export const extension = {
  /** Critical. `ca: true` without a path length allows any. */
  basicConstraints(constraints: { ca: boolean; pathLength?: number }): Buffer {
    const { ca, pathLength } = constraints;
    const parts = ca ? [der.boolean(true)] : [];
    if (pathLength !== undefined) parts.push(der.integer(pathLength));
    return extensionDer(oidDer.basicConstraints, der.sequence(...parts), true);
  },
  /** Critical. */
  keyUsage(...usages: KeyUsage[]): Buffer {
    const bits = der.namedBits(...usages.map((usage) => keyUsageBits[usage]));
    return extensionDer(oidDer.keyUsage, bits, true);
  },
  extKeyUsage(...usages: ExtendedKeyUsage[]): Buffer {
    const purposes = usages.map((usage) => oidDer[usage]);
    return extensionDer(oidDer.extKeyUsage, der.sequence(...purposes));
  },
  subjectAltName(names: AlternativeNames): Buffer {
    return extensionDer(
      oidDer.subjectAltName,
      der.sequence(
        ...(names.uris ?? []).map(uriName),
        ...(names.dnsNames ?? []).map((name) => der.implicit(2, ia5(name))),
        ...(names.ipAddresses ?? []).map((ip) => der.implicit(7, ipBytes(ip))),
      ),
    );
  },
  /** OCSP responder and issuer certificate; at least one of them. */
  authorityInfoAccess(urls: { ocsp?: string; caIssuers?: string }): Buffer {
    return extensionDer(oidDer.authorityInfoAccess, der.sequence(...accessDescriptions(urls)));
  },
  crlDistributionPoints(url: string): Buffer {
    return extensionDer(oidDer.crlDistributionPoints, der.sequence(der.sequence(pointName(url))));
  },
  /** Critical; for a CRL whose scope is the end-entity certificates that point to the URL. */
  issuingDistributionPoint(url: string): Buffer {
    const onlyContainsUserCerts = der.implicit(1, Buffer.of(0xff));
    return extensionDer(
      oidDer.issuingDistributionPoint,
      der.sequence(pointName(url), onlyContainsUserCerts),
      true,
    );
  },
  subjectKeyId(keyId: Buffer): Buffer {
    return extensionDer(oidDer.subjectKeyIdentifier, der.octetString(keyId));
  },
  authorityKeyId(keyId: Buffer): Buffer {
    return extensionDer(oidDer.authorityKeyIdentifier, der.sequence(der.implicit(0, keyId)));
  },
  /** For a certificate so short-lived that nobody need ask of its status (RFC 9608). */
  noRevAvail(): Buffer {
    return extensionDer(oidDer.noRevAvail, der.NULL);
  },
  ocspNoCheck(): Buffer {
    return extensionDer(oidDer.ocspNoCheck, der.NULL);
  },
} as const;
