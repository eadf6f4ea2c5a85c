import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import type { Job } from '../jobs/job.entity.js';
import { UploadLinks } from '../owners/upload-links.js';
import { headerOf, isHashed, tablesOf } from '../plan/tables.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { invalidFields, missingFields, refusals } from './contract-error.js';
import type { ContractReply } from './contract-reply.js';
import { KnownJob } from './known-job.js';
import { checkColumns, readRegister, type RegisterRequest } from './register-body.js';
import { Registrations, type Registration } from './registrations.js';

/** `register_data_owner` (`jobs.md` 2.3). */
@Injectable()
export class RegisterOwner {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(KnownJob) private readonly known: KnownJob,
    @Inject(Registrations) private readonly registrations: Registrations,
    @Inject(UploadLinks) private readonly links: UploadLinks,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  /** @throws {ContractError} */
  async register(caller: JobsCaller, body: Record<string, unknown>): Promise<ContractReply> {
    const request = readRegister(body, this.settings);
    const job = await this.known.find(request.jobId, caller, 'owner', 'analyst', 'admin');
    const { who } = caller;
    if (who.kind === 'holder' && who.owner !== request.owner) throw refusals.forbidden();
    const wanted = { jobId: job.id, table: tableOf(job, request), request };
    const made = await this.store.transaction((tx) =>
      this.registrations.record(tx, caller, wanted),
    );
    return this.replyTo(made, request);
  }

  private async replyTo(
    { job, set, owner, token }: Registration,
    request: RegisterRequest,
  ): Promise<ContractReply> {
    const { plain, uploads } = await this.links.of(job, owner, { set, resume: request.resume });
    const { tableName: table } = set;
    const columns = tablesOf(job.schema).get(table) ?? {};
    return {
      contract: { presigned_urls: plain, job_id: job.id },
      extension: {
        upload_set: set.number,
        expires_at: set.expiresAt.toISOString(),
        share_header: headerOf(job, table, columns),
        query_hash: job.queryHash,
        uploads,
        schema_hash: job.schemaHash,
        limits: job.limits,
        policy_needed: job.policyNeeded,
        ...(isHashed(columns) && { salt: job.salt.toString('base64url') }),
        ...(isUnsigned(request) && { warnings: [notSigned] }),
        ...(token !== undefined && { owner_token: token }),
      },
    };
  }
}

const notSigned = {
  code: 'consent_not_signed',
  message: 'consent_raw_rows counts only when it is signed',
};

const isUnsigned = ({ consentRawRows, signature }: RegisterRequest): boolean =>
  consentRawRows && signature === null;

/** @throws {ContractError} where a job of two tables does not say which one, or the policy names other columns */
function tableOf({ schema }: Job, { table, policy }: RegisterRequest): string {
  const tables = tablesOf(schema);
  const [only] = tables.size === 1 ? tables.keys() : [];
  if (only === undefined && table === null) throw missingFields(['table']);
  const name = only ?? table ?? '';
  const columns = tables.get(name);
  if (columns === undefined)
    throw invalidFields([
      { member: 'table', field: 'table', code: 'unknown_table', message: 'no such table' },
    ]);
  checkColumns(policy, Object.keys(columns));
  return name;
}
