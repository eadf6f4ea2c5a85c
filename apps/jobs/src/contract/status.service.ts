import { Inject, Injectable } from '@nestjs/common';
import { roleOf, type JobsCaller } from '../access/callers.js';
import { MODE, type Mode } from '../access/mode.js';
import type { Job } from '../jobs/job.entity.js';
import { resultWarnings } from '../results/suppression.js';
import { ResultLinks } from '../results/result-links.js';
import { compiledOf } from '../plan/tables.js';
import { labelOf } from '../state.js';
import { conflict, refusals } from './contract-error.js';
import type { ContractReply } from './contract-reply.js';
import { Fields } from './fields.js';
import { KnownJob } from './known-job.js';
import { anyId } from './register-body.js';

const notSubmitted = 'Cannot get the status. Please check if the job is submitted.';

/** `get_status` (`jobs.md` 2.5). Reads never change a state. */
@Injectable()
export class JobStatus {
  constructor(
    @Inject(KnownJob) private readonly known: KnownJob,
    @Inject(ResultLinks) private readonly links: ResultLinks,
    @Inject(MODE) private readonly mode: Mode,
  ) {}

  /** @throws {ContractError} */
  allow({ who }: JobsCaller): void {
    if (who.kind === 'nobody' && !this.mode.open) throw refusals.unauthenticated();
  }

  async status(caller: JobsCaller, query: Record<string, unknown>): Promise<ContractReply> {
    const job = await this.known.find(readId(query), caller, 'analyst', 'owner', 'admin');
    const label = labelOf(job.state, job.reached);
    if (label === null || job.reached === null) throw conflict(notSubmitted, job.id);
    const isAnalyst = roleOf(caller.who, job) === 'analyst';
    const shown = labelOf(job.reached, null);
    const contract =
      label === 'Fail'
        ? { status: label, error: `Failed. Last status is ${shown}.`, job_id: job.id }
        : { status: label, job_id: job.id };
    return { contract, extension: await this.extensionOf(job, isAnalyst) };
  }

  private async extensionOf(job: Job, isAnalyst: boolean): Promise<Record<string, unknown>> {
    const done = job.state === 'success';
    const warnings = [...job.warnings, ...(done ? resultWarnings(compiledOf(job).plan) : [])];
    return {
      execution: job.execution,
      isolation: job.isolation,
      attempt: job.attempt,
      progress: job.progress,
      ...(job.startedAt && { started_at: job.startedAt.toISOString() }),
      updated_at: job.updatedAt.toISOString(),
      ...(warnings.length > 0 && { warnings }),
      ...(job.state === 'cancelled' && { cancelled: true }),
      ...(job.teardown && { teardown: job.teardown }),
      ...(done && isAnalyst && { result: await this.links.of(job) }),
    };
  }
}

/** @throws {ContractError} 400 */
function readId(query: Record<string, unknown>): string {
  const fields = new Fields(query['job_id'] === '' ? {} : query);
  fields.require('job_id');
  const id = fields.read('job_id', anyId, '');
  fields.check();
  return id;
}
