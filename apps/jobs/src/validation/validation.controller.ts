import { Operation, problems, type OperationOptions } from '@glacis/http';
import { Controller, Get, Inject, Param } from '@nestjs/common';
import { z } from 'zod';
import type { JobsCaller } from '../access/callers.js';
import { JobAccess, type AccessedJob } from '../access/job-access.js';
import { Who } from '../access/who.js';
import { PlanView } from '../plan/plan-view.js';
import type { Finding } from './finding.js';
import { ReportsStore } from './reports.store.js';
import { toldFinding } from './told.js';

const common: Omit<OperationOptions, 'summary'> = {
  access: 'public',
  noStore: true,
  head: false,
  reply: z.looseObject({}),
  errors: ['not-found'],
};

/** What is to be known before a run: what validation found, and the plan (`jobs.md` 3). */
@Controller('jobs/:id')
export class ValidationController {
  constructor(
    @Inject(JobAccess) private readonly access: JobAccess,
    @Inject(ReportsStore) private readonly reports: ReportsStore,
    @Inject(PlanView) private readonly plans: PlanView,
  ) {}

  @Get('validation')
  @Operation({ ...common, summary: 'The newest report on the data of a job' })
  async validation(@Who() caller: JobsCaller, @Param('id') id: string): Promise<unknown> {
    const accessed = await this.access.find(id, caller, 'analyst', 'owner', 'admin');
    const report = await this.reports.newest(accessed.job.id);
    if (report === undefined) throw problems.notFound('the job was not validated yet');
    const { ok, at, findings } = report;
    return { ok, at: at.toISOString(), findings: toldTo(accessed, findings) };
  }

  @Get('plan')
  @Operation({ ...common, summary: 'The plan of a job: operators, limits, cost and leakage' })
  async plan(@Who() caller: JobsCaller, @Param('id') id: string): Promise<unknown> {
    const { job } = await this.access.find(id, caller, 'analyst', 'owner', 'admin');
    return this.plans.of(job);
  }
}

function toldTo({ role, owner }: AccessedJob, findings: readonly Finding[]): unknown[] {
  if (role === 'admin') return [...findings];
  if (role === 'owner') return findings.filter((each) => each.owner === owner);
  return findings.map(toldFinding);
}
