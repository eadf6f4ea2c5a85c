import { verifyPolicy, type PolicyDocument } from '@glacis/shares';
import { invalidFields } from '../contract/contract-error.js';
import type { RegisterRequest } from '../contract/register-body.js';
import type { Job } from '../jobs/job.entity.js';
import { tablesOf } from '../plan/tables.js';

/** What the owner must have signed (`jobs.md` 8.1). */
export function policyDocumentOf(job: Job, request: RegisterRequest): PolicyDocument {
  const { counted, max_aggregates, max_degree, max_share_percent } = job.limits;
  const { min_group_size, min_owners, raw_rows, residual } = job.limits;
  return {
    consent_raw_rows: request.consentRawRows,
    data_owner: request.owner,
    issued_at: request.issuedAt ?? '',
    job_id: job.id,
    limits: {
      counted,
      max_aggregates,
      max_degree,
      max_share_percent,
      min_group_size,
      min_owners,
      raw_rows,
      residual,
    },
    policy: request.policy,
    query_hash: job.queryHash,
    schema_hash: job.schemaHash,
    table: tablesOf(job.schema).size > 1 ? request.table : null,
  };
}

/** For an early answer only: every agent checks it again. @throws {ContractError} 400 */
export async function checkSignature(job: Job, request: RegisterRequest): Promise<void> {
  const { ownerKey, signature } = request;
  const document = policyDocumentOf(job, request);
  if (await verifyPolicy(document, ownerKey ?? '', signature ?? '')) return;
  const message = 'the key has not signed this policy for this job';
  throw invalidFields([
    { member: 'signature', field: 'signature', code: 'bad_signature', message },
  ]);
}
