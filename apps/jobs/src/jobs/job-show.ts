import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import type { AccessedJob } from '../access/job-access.js';
import { ComputeProviders } from '../compute/compute-providers.js';
import { OwnersStore } from '../owners/owners.store.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { queuePlace } from '../runs/leases.store.js';
import { toldFailure } from '../validation/told.js';
import type { Failure, Job } from './job.entity.js';
import { JobsStore } from './jobs.store.js';
import { analystsJob, listedJob, ownersJob, queryOf, type Retention } from './views.js';

const hourMs = 3_600_000;

interface Step {
  attempt: number;
  step: string;
  tries: number;
  started_at: Date | null;
  ended_at: Date | null;
  failure: Failure | null;
}

/** One job with all that its caller may see of it (`jobs.md` 3). */
@Injectable()
export class JobShow {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(OwnersStore) private readonly owners: OwnersStore,
    @Inject(ComputeProviders) private readonly compute: ComputeProviders,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  async of({ job, role, owner }: AccessedJob): Promise<Record<string, unknown>> {
    const retention: Retention = {
      days: this.settings.retentionDays,
      sealed_days: this.settings.sealedRetentionDays,
    };
    if (role === 'owner') return ownersJob(job, retention, await this.owners.sets(job.id, owner));
    const steps = await this.steps(job);
    return {
      ...(role === 'admin' ? listedJob(job) : analystsJob(job)),
      ...queryOf(job),
      security_level: 'semi',
      parties: await this.parties(job),
      queue_position: await queuePlace(this.store, job.id),
      plan_version: (await this.jobs.plan(job))?.version,
      attempts: attemptsOf(role === 'admin' ? steps : steps.map(told)),
      cost: this.costOf(job),
      retention,
    };
  }

  private async parties(job: Job): Promise<Record<string, unknown>[]> {
    const alive = await this.store.query<{ party: number; heard_at: Date | null }>(
      'SELECT party, heard_at FROM agents WHERE job_id = $1 AND attempt = $2 AND ended_at IS NULL',
      [job.id, job.attempt],
    );
    return job.placement.map((provider, party) => {
      const agent = alive.find((each) => each.party === party);
      const { driver } = this.compute.of(provider);
      const heard = agent?.heard_at?.toISOString() ?? null;
      return { party, provider, driver, health: agent ? 'up' : 'none', heard_at: heard };
    });
  }

  private steps({ id }: Job): Promise<Step[]> {
    return this.store.query<Step>(
      `SELECT attempt, step, tries, started_at, ended_at, failure FROM job_steps
       WHERE job = $1 ORDER BY attempt, place`,
      [id],
    );
  }

  /** Of the compute, in the currency of the first provider that costs anything. */
  private costOf(job: Job): Record<string, unknown> {
    const prices = job.placement.flatMap((provider) => this.compute.of(provider).price() ?? []);
    const hourly = prices.reduce((sum, { amount }) => sum + amount, 0);
    const ended = job.endedAt?.getTime() ?? job.updatedAt.getTime();
    const ranMs = job.startedAt ? Math.max(0, ended - job.startedAt.getTime()) : 0;
    return {
      estimate: hourly * (job.deadlineSeconds / 3600),
      spent: hourly * (ranMs / hourMs),
      currency: prices[0]?.currency ?? null,
    };
  }
}

function told(step: Step): Step {
  return { ...step, failure: step.failure && toldFailure(step.failure) };
}

function attemptsOf(steps: readonly Step[]): Record<string, unknown>[] {
  const numbers = [...new Set(steps.map(({ attempt }) => attempt))];
  return numbers.map((attempt) => ({
    attempt,
    steps: steps.filter((each) => each.attempt === attempt).map(stepView),
  }));
}

function stepView({ step, tries, started_at, ended_at, failure }: Step): Omit<Step, 'attempt'> {
  return { step, tries, started_at, ended_at, failure };
}
