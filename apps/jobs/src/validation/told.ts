import type { Failure } from '../jobs/job.entity.js';
import type { Finding } from './finding.js';

/** What is found in the data of an owner is told to that owner and to admins only (`jobs.md` 3). */
const ownersOnly = new Set(['inconsistent_forms', 'out_of_range', 'join_key_not_unique']);

const rejected = 'owner_data_rejected';

/** What everybody may read of a finding. */
export function toldCode(code: string): string {
  return ownersOnly.has(code) ? rejected : code;
}

/** What the analyst may read of it: not which check failed. */
export function toldFinding(finding: Finding): Partial<Finding> {
  const { owner, code } = finding;
  return ownersOnly.has(code) ? { owner, code: rejected } : finding;
}

export function toldFailure(failure: Failure): Failure {
  if (!ownersOnly.has(failure.code)) return failure;
  return { ...failure, code: rejected, message: 'the data of an owner was rejected' };
}
