import type { JobFacts, Receipt } from '@glacis/contracts';
import { resultColumns, type Plan } from '@glacis/mpc';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { JobsCaller } from '../access/callers.js';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { Journal } from '../jobs/journal.js';
import { compiledOf } from '../plan/tables.js';
import { notFinished, resultExpired } from '../problems.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { ResultLinks } from './result-links.js';
import { resultWarnings, suppressionOf } from './suppression.js';

const dayMs = 86_400_000;

interface ResultRow {
  party: number;
  bytes: string;
  sha256: string;
  sealed: boolean;
  slots: number;
  receipt: Receipt;
}

@Injectable()
export class ResultsService {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(ResultLinks) private readonly links: ResultLinks,
    @Inject(Journal) private readonly journal: Journal,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  async of(caller: JobsCaller, job: Job): Promise<Record<string, unknown>> {
    if (job.state !== 'success') throw notFinished(`the job is ${job.state}`);
    if (this.isOver(job)) throw resultExpired('the result was deleted');
    const rows = await this.rowsOf(job);
    const [urls, plan] = await Promise.all([this.links.of(job), this.planOf(job)]);
    const expiresAt = new Date(this.clock.now().getTime() + this.settings.urlsTtlSeconds * 1000);
    await this.store.transaction((tx) =>
      this.journal.note(tx, caller, job, { action: 'result.read' }),
    );
    return {
      query_hash: job.queryHash,
      parties: rows.map(({ party, bytes, sha256, sealed }) => ({
        party,
        url: urls[party],
        expires_at: expiresAt.toISOString(),
        bytes: Number(bytes),
        sha256,
        sealed,
      })),
      columns: resultColumns(plan),
      rows: rows[0]?.slots ?? 0,
      min_group_size: plan.limits.min_group_size,
      suppression: suppressionOf(plan) ?? null,
      warnings: [...job.warnings, ...resultWarnings(plan)],
      receipts: rows.map(({ receipt }) => receipt),
    };
  }

  async acknowledge(caller: JobsCaller, job: Job): Promise<void> {
    if (job.state !== 'success') throw notFinished(`the job is ${job.state}`);
    await this.store.transaction(async (tx) => {
      const sql = 'UPDATE jobs SET acknowledged_at = coalesce(acknowledged_at, $2) WHERE id = $1';
      await tx.query(sql, [job.id, this.clock.now()]);
      await this.journal.note(tx, caller, job, { action: 'result.acknowledge' });
    });
  }

  /** The plan that ran, under the strictest limits of job and policies. */
  async planOf(job: Job): Promise<Plan> {
    const version = await this.jobs.plan(job);
    const { facts } = JSON.parse(version?.plan ?? '{}') as { facts?: JobFacts };
    return compiledOf(job, facts?.options).plan;
  }

  private rowsOf({ id, attempt }: Job): Promise<ResultRow[]> {
    return this.store.query<ResultRow>(
      `SELECT party, bytes, sha256, sealed, slots, receipt FROM job_results
       WHERE job = $1 AND attempt = $2 ORDER BY party`,
      [id, attempt],
    );
  }

  /** As the reaper has it: sealed results wait longer, until they are acknowledged. */
  private isOver({ endedAt, resultKey, acknowledgedAt }: Job): boolean {
    const { retentionDays, sealedRetentionDays } = this.settings;
    const waits = resultKey !== null && acknowledgedAt === null;
    const days = waits ? Math.max(retentionDays, sealedRetentionDays) : retentionDays;
    return (endedAt?.getTime() ?? 0) + days * dayMs <= this.clock.now().getTime();
  }
}
