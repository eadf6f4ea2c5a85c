import { sameName, type CertificateInfo, type Csr } from '@glacis/pki';

/** Whether a request names what a certificate names, in whichever order (RFC 7030 4.2.2). */
export function asksForTheSame(csr: Csr, info: CertificateInfo): boolean {
  return (
    sameName(csr.subjectDer, info.subjectDer) &&
    sameSet(csr.uris, info.uris) &&
    sameSet(lower(csr.dnsNames), lower(info.dnsNames)) &&
    sameSet(csr.ipAddresses, info.ipAddresses)
  );
}

const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return new Set(a).size === new Set(b).size && a.every((one) => b.includes(one));
}
