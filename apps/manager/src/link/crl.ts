import { verify, type X509Certificate } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  Certificate,
  CertificateList,
  CRLDistributionPoints,
  id_ce_cRLDistributionPoints,
} from '@peculiar/asn1-x509';

/** Where the certificate says that its revocation list lies, as http URL; undefined when it names none. */
export function crlUrlOf(certificate: X509Certificate): string | undefined {
  const { extensions } = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate;
  const extension = extensions?.find(({ extnID }) => extnID === id_ce_cRLDistributionPoints);
  if (extension === undefined) return undefined;
  return AsnConvert.parse(extension.extnValue, CRLDistributionPoints)
    .flatMap((point) => point.distributionPoint?.fullName ?? [])
    .map((name) => name.uniformResourceIdentifier)
    .find((uri) => uri?.startsWith('http://'));
}

/**
 * The serials that a revocation list names, in upper-case hex as Node tells them.
 * @throws {Error} when it is none, or not signed by this issuer
 */
export function revokedSerials(der: Buffer, issuer: X509Certificate): Set<string> {
  const list = AsnConvert.parse(der, CertificateList);
  const { tbsCertListRaw: signed } = list;
  const hash = hashes[list.signatureAlgorithm.algorithm];
  if (signed === undefined || hash === undefined) throw new Error('revocation list not understood');
  const signature = Buffer.from(list.signature);
  if (!verify(hash, Buffer.from(signed), issuer.publicKey, signature)) {
    throw new Error('revocation list is not signed by the issuer');
  }
  return new Set(
    (list.tbsCertList.revokedCertificates ?? []).map(({ userCertificate }) =>
      serialHex(Buffer.from(userCertificate)),
    ),
  );
}

/** Hash of a signature algorithm; null where it is part of the algorithm. */
const hashes: Record<string, string | null> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
};

function serialHex(integer: Buffer): string {
  return integer
    .toString('hex')
    .toUpperCase()
    .replace(/^(00)+(?=..)/, '');
}
