/**
 * What other services may ask of `certificates` (`certificates.md` 8). The gRPC messages carry the same members;
 * serials are decimal text.
 */
export interface CertificatesRpc {
  /** Everything that admission of a stream needs to know of a serial. NOT_FOUND for an unknown one. */
  resolve(request: { serialNumber: string }): Promise<ResolvedCertificate>;
  /** A certificate for one of our own servers, from a CSR that the service made. */
  issueService(request: IssueServiceRequest): Promise<IssuedService>;
  /** The certificate that a VM is given when it is created, from a CSR that the service made (`backends.md` 8). */
  issueVm(request: IssueVmRequest): Promise<IssuedService>;
  /** The certificate of a compute party, from a CSR that its agent made (`jobs.md` 11.10); it serves and calls by it. */
  issueParty(request: IssuePartyRequest): Promise<IssuedService>;
  /** Revokes every certificate of an entity in one transaction; one event per serial. */
  revokeEntity(request: RevokeEntityRequest): Promise<{ serialNumbers: string[] }>;
  /**
   * A token by which the host of a backend gets its first certificate, used once. NOT_FOUND when the backend is deleted.
   */
  createEnrolmentToken(request: EnrolmentTokenRequest): Promise<EnrolmentToken>;
  /**
   * Revocations after a sequence, oldest first, then each as it is made; while there is none, a sign of life every few
   * seconds. Ends with the signal, or after some minutes: go on with a new one.
   */
  watchRevocations(request: { after: number }, signal: AbortSignal): AsyncIterable<RevocationNews>;
  /** What is trusted now, then again at each change. Ends as {@link watchRevocations} does. */
  trustBundle(request: Record<string, never>, signal: AbortSignal): AsyncIterable<TrustBundle>;
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

export interface IssueVmRequest {
  /** PKCS#10 in DER. */
  csr: Buffer;
  tenant: string;
  /** Id of the VM, which becomes the entity of type `cvm`. */
  vmId: string;
  /** 0: as long as certificates live by default. */
  ttlSeconds: number;
  /** The service that asks; between processes, as its certificate names it. */
  requestedBy: string;
}

export interface IssuePartyRequest {
  /** PKCS#10 in DER. */
  csr: Buffer;
  tenant: string;
  /** UUID of the party in one attempt of a job, which becomes the entity of type `party`. */
  partyId: string;
  ttlSeconds: number;
  /** The service that asks; between processes, as its certificate names it. */
  requestedBy: string;
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

export interface EnrolmentTokenRequest {
  tenant: string;
  backendId: string;
  /** 1 to 3600. */
  ttlSeconds: number;
  /** The block of addresses that the host must come from; empty: from anywhere. */
  cidr: string;
  /** The service that asks; between processes, as its certificate names it. */
  requestedBy: string;
}

export interface EnrolmentToken {
  token: string;
  expiresAt: Date;
  /** SHA-256 of the root in DER, lower-case hex: by it the host knows us at its first contact. */
  caSha256: string;
}

export interface RevocationNews {
  /** Whoever has read it knows all revocations up to it. */
  sequence: number;
  /** Absent in a sign of life. */
  revocation?: Revocation;
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
  /** Roots, then live intermediates. */
  caPem: string;
  rootsPem: string;
  version: number;
  revokedIssuerIds: string[];
}
