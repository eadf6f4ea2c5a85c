import type { OwnerPolicy } from '@glacis/shares';

/** A name of a job, bound to its key, or to having none, by its first registration or claim. */
export interface Owner {
  job: string;
  name: string;
  /** First segment of its keys in buckets. */
  dir: string;
  /** Ed25519 public key, base64url. */
  key: string | null;
  /** Order of registration, from 1; null: not registered. */
  sequence: number | null;
  claimedAt: Date | null;
  boundAt: Date;
}

/** What an owner says of one of its files. */
export interface DeclaredFile {
  bytes: number;
  sha256: string;
  rows: number;
}

/** A full group of share files, one for each party. */
export interface UploadSet {
  job: string;
  owner: string;
  /** From 1, for each owner. */
  number: number;
  tableName: string;
  files: DeclaredFile[] | null;
  expiresAt: Date;
  createdAt: Date;
}

/** A policy as it was signed. */
export interface StoredPolicy {
  job: string;
  owner: string;
  /** From 1, for each owner. */
  number: number;
  /** Null where the job has one table. */
  tableName: string | null;
  policy: OwnerPolicy | null;
  consentRawRows: boolean;
  /** RFC 3339 as it was signed. */
  issuedAt: string;
  /** `policyText` of the document. */
  signedText: string;
  signature: string;
  createdAt: Date;
}
