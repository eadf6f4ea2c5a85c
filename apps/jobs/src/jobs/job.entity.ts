import type { CompileOptions, PlanLimits, PolicyNeeded } from '@glacis/mpc';
import type { TableSchema } from '@glacis/shares';
import type { JobState } from '../state.js';

export type ProviderName = 'aws' | 'gcp' | 'azure';
export type Execution = 'local' | 'mixed' | 'cloud';
export type Isolation = 'nominal' | 'process' | 'account' | 'tee';

/** Classes of failures (`jobs.md` 9); `data` and `policy` lie with the owners. */
export type FailureClass =
  'transient' | 'infra' | 'attestation' | 'protocol' | 'engine' | 'timeout' | 'data' | 'policy';

export interface JobWarning {
  code: string;
  message: string;
  provider?: string;
  parties?: number[];
}

export interface Failure {
  class: FailureClass;
  /** As `lost_party`. */
  code: string;
  message: string;
  /** The step that gave up. */
  step?: string;
}

/** Schema as it was sent: one table without a name, or named ones. */
export interface SentSchema {
  schema?: TableSchema;
  tables?: Record<string, TableSchema>;
}

/** One query over the data of its owners. */
export interface Job {
  /** UUID of version 4. */
  id: string;
  tenant: string;
  /** Subject of the token that made it; null in mode `open`, where `analyst_token` stands for it. */
  analyst: string | null;
  name: string;
  sql: string;
  queryHash: string;
  schema: SentSchema;
  schemaHash: string;
  /** Provider of each party, by its number. */
  placement: ProviderName[];
  execution: Execution;
  isolation: Isolation;
  minGroupSize: number;
  minOwners: number;
  maxSharePercent: number;
  deadlineSeconds: number;
  /** X25519 public key, base64url. */
  resultKey: string | null;
  /** Key of hashed text columns; for owners only. */
  salt: Buffer;
  /** What the query is compiled with, whatever the settings become. */
  options: CompileOptions;
  limits: PlanLimits;
  /** By table. */
  policyNeeded: Record<string, PolicyNeeded>;
  warnings: JobWarning[];
  state: JobState;
  /** The last running state of this attempt. */
  reached: JobState | null;
  attempt: number;
  /** 0 to 1. */
  progress: number;
  failure: Failure | null;
  cancelReason: string | null;
  teardown: 'pending' | 'done' | null;
  leaseOwner: string | null;
  leaseToken: string | null;
  leaseUntil: Date | null;
  createdAt: Date;
  updatedAt: Date;
  submittedAt: Date | null;
  startedAt: Date | null;
  endedAt: Date | null;
  /** When the run is given up. */
  deadlineAt: Date | null;
  /** When sealed results were acknowledged. */
  acknowledgedAt: Date | null;
}

/** The buckets and public keys of one party of a job. */
export interface JobParty {
  job: string;
  party: number;
  provider: ProviderName;
  inBucket: string;
  outBucket: string;
  /** X25519 public keys, base64url; null until its agent made them. */
  sealKey: string | null;
  macKey: string | null;
}
