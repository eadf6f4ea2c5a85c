/**
 * What other services may ask of `certificates` (`certificates.md` 8). The gRPC messages carry the same members;
 * serials are decimal text.
 */
export interface CertificatesRpc {
  /** Everything that admission of a stream needs to know of a serial. NOT_FOUND for an unknown one. */
  resolve(request: { serialNumber: string }): Promise<ResolvedCertificate>;
  /** A certificate for one of our own servers, from a CSR that the service made. */
  issueService(request: IssueServiceRequest): Promise<IssuedService>;
  /** Revokes every certificate of an entity in one transaction; one event per serial. */
  revokeEntity(request: RevokeEntityRequest): Promise<{ serialNumbers: string[] }>;
  /**
   * Revocations since a sequence, oldest first, at most 1,000: what a lost event is made up with. Within one process
   * only: between processes revocations travel as a stream.
   */
  revocationsSince(request: { after: number }): Promise<{ revocations: Revocation[] }>;
  /**
   * Roots and live intermediates in PEM, roots alone, and the ids of revoked issuers. Within one process only: between
   * processes the bundle travels as a stream.
   */
  trustBundle(request: Record<string, never>): Promise<TrustBundle>;
}

export type CertificateStatus = 'valid' | 'revoked' | 'expired';

export interface ResolvedCertificate {
  entityId: string;
  entityType: string;
  tenant: string;
  status: CertificateStatus;
  notAfter: Date;
  /** Lower-case hex without colons. */
  fingerprintSha256: string;
  issuerId: string;
  certFileSha512: Buffer[];
}

export interface IssueServiceRequest {
  /** PKCS#10 in DER. */
  csr: Buffer;
  service: string;
  dnsNames: string[];
  ipAddresses: string[];
}

export interface IssuedService {
  /** Leaf, intermediate and, while a root rotation lasts, the cross certificate. */
  chainPem: string;
  /** Roots, then live intermediates. */
  caPem: string;
  notAfter: Date;
}

export interface RevokeEntityRequest {
  tenant: string;
  entityType: string;
  entityId: string;
  /** RFC 5280 5.3.1 reason code. */
  reason: number;
}

export interface Revocation {
  sequence: number;
  /** Absent when a whole issuer was revoked. */
  serialNumber?: string;
  entityId?: string;
  revokedAt: Date;
  reason: number;
  issuerId: string;
}

export interface TrustBundle {
  caPem: string;
  rootsPem: string;
  version: number;
  revokedIssuerIds: string[];
}
