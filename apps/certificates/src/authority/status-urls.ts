/** Where certificates say that their status is found: one DER object each, no query (`certificates.md` 5.1). */
export interface StatusUrls {
  ocsp: string;
  issuer(issuerId: string): string;
  shard(issuerId: string, shard: number): string;
  rootCrl(issuerId: string): string;
}

/** @param base the status URL; undefined gives no pointers at all */
export function statusUrls(base: string | undefined): StatusUrls | undefined {
  if (base === undefined) return undefined;
  return {
    ocsp: `${base}/certs/ocsp`,
    issuer: (issuerId) => `${base}/certs/ca/${issuerId}.crt`,
    shard: (issuerId, shard) => `${base}/certs/crl/${issuerId}/${shard}.crl`,
    rootCrl: (issuerId) => `${base}/certs/crl/${issuerId}/root.crl`,
  };
}
