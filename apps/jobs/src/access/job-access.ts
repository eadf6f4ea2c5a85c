import { problems } from '@glacis/http';
import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { roleOf, type JobRole, type JobsCaller } from './callers.js';

/** A job with what its caller is to it. */
export interface AccessedJob {
  job: Job;
  role: JobRole;
  /** Name of the owner in that role. */
  owner?: string;
}

/** Who may do what below `/jobs` (`jobs.md` 3, 12). */
@Injectable()
export class JobAccess {
  constructor(@Inject(JobsStore) private readonly jobs: JobsStore) {}

  /** @throws {Problem} 401 without a token, 404 for a job of others, 403 in a role that may not */
  async find(id: string, caller: JobsCaller, ...roles: JobRole[]): Promise<AccessedJob> {
    if (caller.who.kind === 'nobody') throw problems.unauthenticated('a token is needed');
    const job = await this.jobs.find(id);
    const role = job && roleOf(caller.who, job);
    if (job === undefined || role === undefined) throw problems.notFound('no such job');
    if (!roles.includes(role)) throw problems.forbidden(`not for the role ${role}`);
    const owner = caller.who.kind === 'holder' ? (caller.who.owner ?? undefined) : undefined;
    return { job, role, owner };
  }
}
