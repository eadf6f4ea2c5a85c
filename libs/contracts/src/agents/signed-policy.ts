import { z } from 'zod';
import { rawKey, sha256 } from './common.js';

/** Limits of a job as register returned them (jobs.md 8.1). */
export const signedLimits = z.strictObject({
  counted: z.enum(['rows', 'unit']),
  max_aggregates: z.int().positive(),
  max_degree: z.int().positive(),
  max_share_percent: z.int().min(1).max(100),
  min_group_size: z.int().positive(),
  min_owners: z.int().positive(),
  raw_rows: z.enum(['none', 'consent', 'allow']),
  residual: z.boolean(),
});

const columnUses = z.strictObject({
  filter: z.boolean().optional(),
  group: z.boolean().optional(),
  join: z.boolean().optional(),
  output: z.boolean().optional(),
  aggregate: z
    .array(z.enum(['COUNT', 'COUNT_DISTINCT', 'SUM', 'AVG', 'MIN', 'MAX', 'VARIANCE']))
    .max(7)
    .optional(),
});

/** What an owner allows (8.1): unknown members are refused, unknown columns are found where the schema is known. */
export const ownerPolicy = z.strictObject({
  default: z.enum(['allow', 'deny']),
  columns: z.record(z.string(), columnUses).optional(),
  min_group_size: z.int().min(1).max(1000).optional(),
  min_owners: z.int().min(1).max(16).optional(),
  extremes: z.boolean().optional(),
  max_degree: z.int().min(1).max(2).optional(),
  max_aggregates: z.int().positive().optional(),
  max_rows: z.int().positive().optional(),
  expires: z.iso.datetime({ offset: true }).optional(),
});
export type OwnerPolicyDocument = z.infer<typeof ownerPolicy>;

/** The members that an owner signs, in JCS after `glacis-owner-policy-1` and a line feed. */
export const policyDocument = z.strictObject({
  consent_raw_rows: z.boolean(),
  data_owner: z.string(),
  issued_at: z.iso.datetime({ offset: true }),
  job_id: z.string(),
  limits: signedLimits,
  policy: ownerPolicy.nullable(),
  query_hash: sha256,
  schema_hash: sha256,
  table: z.string().nullable(),
});
export type PolicyDocument = z.infer<typeof policyDocument>;

/** Object `<owner_dir>/policy/<n>` of every in-bucket. */
export const signedPolicy = z.strictObject({
  document: policyDocument,
  owner_key: rawKey,
  /** Ed25519, base64url. */
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
});
export type SignedPolicy = z.infer<typeof signedPolicy>;
