import { missingUses, type OwnerPolicy } from '@glacis/shares';
import type { Context } from '../context.js';
import { ExitError } from '../exit.js';
import { jobPath, jobsApi } from './calls.js';
import type { KeepFlags } from './options.js';
import { jsonOf } from './request.js';

/** `glacis jobs policy check FILE JOB`: what the query wants beyond a policy. */
export async function checkPolicy(
  context: Context,
  [file, jobId]: [string, string],
  flags: KeepFlags & { table?: string },
): Promise<void> {
  const policy = jsonOf<OwnerPolicy>(file);
  const api = jobsApi(context, flags, jobId);
  const { policy_needed: needed } = await api.get<{
    policy_needed: Record<string, OwnerPolicy>;
  }>(jobPath(jobId));
  const missing = Object.entries(needed)
    .filter(([table]) => flags.table === undefined || flags.table === table)
    .flatMap(([table, wanted]) => missingUses(policy, wanted).map((use) => ({ table, ...use })));
  if (missing.length === 0) return context.say('the policy grants all that the query needs');
  context.show({ list: missing, columns: ['table', 'column', 'use'] });
  throw new ExitError('the policy does not grant all that the query needs');
}
