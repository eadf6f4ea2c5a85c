import { ownerPolicy } from '@glacis/contracts';
import { z } from 'zod';

// What the OpenAPI document shows of bodies whose faults the contract has told in its own way.

const column = z.union([z.string(), z.looseObject({})]);
const columns = z.record(z.string(), column);

const create = {
  analysis_name: z.string().min(1).max(200),
  query_sql: z.string().min(1),
  security_level: z.string().meta({ description: '`semi` or `mal`' }),
  cloud_providers: z.array(z.string()).min(1).max(16).meta({ description: 'aws, gcp, azure' }),
  schema: columns,
  tables: z.record(z.string(), columns).optional(),
  min_group_size: z.int().max(1000).optional(),
  min_owners: z.int().min(1).max(16).optional(),
  max_share_percent: z.int().min(1).max(100).optional(),
  deadline_seconds: z.int().min(60).max(86_400).optional(),
  result_key: z.string().optional().meta({ description: 'X25519 public key, base64url' }),
};

export const createShape = z.looseObject(create);

export const dryRunShape = z.looseObject({
  ...create,
  rows: z.union([z.int().min(1), z.record(z.string(), z.int().min(1))]).optional(),
});

export const registerShape = z.looseObject({
  job_id: z.string(),
  data_owner: z.string(),
  owner_key: z.string().optional().meta({ description: 'Ed25519 public key, base64url' }),
  expect_query_hash: z.string().optional(),
  policy: ownerPolicy.optional(),
  consent_raw_rows: z.boolean().optional(),
  issued_at: z.iso.datetime({ offset: true }).optional(),
  signature: z.string().optional(),
  table: z.string().optional(),
  files: z
    .array(z.object({ bytes: z.int().min(1), sha256: z.string(), rows: z.int().min(1) }))
    .optional(),
  resume: z.boolean().optional(),
});

export const submitShape = z.looseObject({ job_id: z.string() });
