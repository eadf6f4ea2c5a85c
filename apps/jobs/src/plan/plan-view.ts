import type { JobFacts } from '@glacis/contracts';
import { estimate, LAN, operatorsOf, WAN, type Net } from '@glacis/mpc';
import { Inject, Injectable } from '@nestjs/common';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { OwnersStore } from '../owners/owners.store.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { ESTIMATED_ROWS } from './draft.js';
import { compiledOf, tablesOf } from './tables.js';

/** The plan of a job as people read it: no pins, no texts of the query in the form that owners encode them. */
@Injectable()
export class PlanView {
  constructor(
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(OwnersStore) private readonly owners: OwnersStore,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
  ) {}

  async of(job: Job): Promise<Record<string, unknown>> {
    const version = await this.jobs.plan(job);
    const { facts } = JSON.parse(version?.plan ?? '{}') as { facts?: JobFacts };
    const { plan, planHash, leakage } = compiledOf(job, facts?.options);
    const rows = await this.rowsOf(job, plan.tables);
    const cost = estimate(plan, rows, this.net(job));
    return {
      job_id: job.id,
      version: version?.version,
      hash: version?.hash,
      engine: 'embedded',
      query_hash: job.queryHash,
      schema_hash: job.schemaHash,
      query_plan: planHash,
      placement: job.placement,
      operators: operatorsOf(plan),
      limits: plan.limits,
      rows,
      estimate: {
        rounds: cost.rounds,
        bytes_per_party: cost.bytesPerParty,
        seconds: Number((cost.nanoseconds / 1e9).toFixed(3)),
        memory: cost.memory,
      },
      leakage,
    };
  }

  /** As far as owners have declared them, by the newest set of each. */
  private async rowsOf(job: Job, tables: readonly string[]): Promise<number[]> {
    const sets = await this.owners.sets(job.id);
    const newest = new Map(sets.map((set) => [JSON.stringify([set.owner, set.tableName]), set]));
    const names = [...tablesOf(job.schema).keys()];
    return tables.map((table) => {
      const of = [...newest.values()].filter(
        (set) => names.length === 1 || set.tableName === table,
      );
      const declared = of.reduce((sum, { files }) => sum + (files?.[0]?.rows ?? 0), 0);
      return declared || ESTIMATED_ROWS;
    });
  }

  /** `auto`: a LAN for local execution or one provider, else a WAN (`jobs.md` 9). */
  private net({ execution, placement }: Job): Net {
    const { planNet } = this.settings;
    if (planNet !== 'auto') return { bitsPerSecond: planNet.mbit * 1e6, rtt: planNet.rtt_ms * 1e6 };
    return execution === 'local' || new Set(placement).size === 1 ? LAN : WAN;
  }
}
