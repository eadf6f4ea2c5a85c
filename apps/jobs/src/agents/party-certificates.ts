/** One party of a job, as its certificate names it. */
export interface PartyEntity {
  jobId: string;
  tenant: string;
  /** UUID drawn per job, attempt and party (jobs.md 11.10). */
  entityId: string;
}

export interface PartyCertificateOrder extends PartyEntity {
  /** PKCS#10 in PEM. */
  csr: string;
  notAfter: Date;
}

export interface PartyCertificate {
  /** PEM, the leaf first. */
  chain: string[];
  /** PEM of what the chains of all parties of the job end in. */
  ca: string;
}

/** Who issues the certificates of parties (`jobs.pki`). */
export abstract class PartyCertificates {
  /** True: only agents that end with this process may rely on it (jobs.md 1.2). */
  abstract readonly localOnly: boolean;
  /** @throws {CsrError} for a request that does not hold */
  abstract issue(order: PartyCertificateOrder): Promise<PartyCertificate>;
  /** Ends every certificate of the party. Harmless to repeat. */
  abstract revoke(party: PartyEntity): Promise<void>;
}
