import { Inject, Injectable } from '@nestjs/common';
import { roleOf, type JobRole, type JobsCaller } from '../access/callers.js';
import { MODE, type Mode } from '../access/mode.js';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { jobNotFound, refusals } from './contract-error.js';

/** Who may do what on the contract routes (`jobs.md` 2.1 check 4, 12). */
@Injectable()
export class KnownJob {
  constructor(
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(MODE) private readonly mode: Mode,
  ) {}

  /**
   * Whether the kind of caller fits the route at all.
   * @throws {ContractError} 401, 403
   */
  allow({ who }: JobsCaller, role: 'analyst' | 'owner'): void {
    if (who.kind === 'nobody' && !this.mode.open) throw refusals.unauthenticated();
    if (who.kind === 'holder' && who.role !== role) throw refusals.forbidden();
    if (who.kind === 'member' && role === 'owner' && !this.mode.open) throw refusals.forbidden();
  }

  /** @throws {ContractError} 404, also for a job of somebody else */
  async find(id: string, { who }: JobsCaller, ...roles: JobRole[]): Promise<Job> {
    const job = await this.jobs.find(id);
    if (job === undefined) throw jobNotFound(id);
    if (who.kind === 'nobody') return job;
    const role = roleOf(who, job);
    if (role === undefined && !(this.mode.open && who.kind === 'member' && job.analyst === null))
      throw jobNotFound(id);
    if (role !== undefined && !roles.includes(role)) throw refusals.forbidden();
    return job;
  }
}
