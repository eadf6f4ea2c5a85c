import { Inject, Injectable } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import type { Finding } from '../validation/finding.js';
import { Submissions } from '../validation/submissions.js';
import { Validation } from '../validation/validation.service.js';
import { conflict, ContractError } from './contract-error.js';
import type { ContractReply } from './contract-reply.js';
import { KnownJob } from './known-job.js';
import { readJobId } from './register-body.js';

const failed: Finding = {
  code: 'validation_failed',
  message: 'the validation did not come to an end',
};

/** `submit_job` (`jobs.md` 2.4). */
@Injectable()
export class SubmitJob {
  constructor(
    @Inject(KnownJob) private readonly known: KnownJob,
    @Inject(Submissions) private readonly submissions: Submissions,
    @Inject(Validation) private readonly validation: Validation,
  ) {}

  /** @throws {ContractError} */
  async submit(caller: JobsCaller, body: Record<string, unknown>): Promise<ContractReply> {
    const found = await this.known.find(readJobId(body), caller, 'analyst');
    const duplicated = conflict('Duplicated submission', found.id);
    const job = await this.submissions.take(found, caller);
    if (job === undefined) throw duplicated;
    const validating = this.submissions.hold(job, () => this.validation.run(job));
    const findings = await validating.catch(async (error: unknown) => {
      await this.submissions.giveBack(job, [failed], caller);
      throw error;
    });
    if (findings.length > 0) {
      await this.submissions.giveBack(job, findings, caller);
      throw rejected(job.id);
    }
    if (!(await this.submissions.queue(job, caller))) throw duplicated;
    return { contract: { status: 'success', job_id: job.id }, extension: {} };
  }
}

function rejected(id: string): ContractError {
  return new ContractError(
    500,
    { error: 'Data validation failed', job_id: id },
    { link: `</jobs/${id}/validation>; rel="describedby"` },
  );
}
