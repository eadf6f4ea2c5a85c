import { compile, Refusal, type Compiled } from '@glacis/mpc';
import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Job, JobParty } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { insert } from '../jobs/rows.js';
import type { Owner, StoredPolicy, UploadSet } from '../owners/owner.entity.js';
import { OwnersStore } from '../owners/owners.store.js';
import { secondPlan } from '../plan/second-plan.js';
import { tablesOf } from '../plan/tables.js';
import { ContentCheck } from '../runs/content-check.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { countingOf, strictest } from './counting-policies.js';
import type { Finding } from './finding.js';
import { Freezer } from './freezer.js';
import { stageA } from './stage-a.js';
import { effectiveFiles, type Pin } from './stage-b.js';

/** What is registered for a job, as of one moment. */
interface Registered {
  job: Job;
  parties: JobParty[];
  owners: Owner[];
  sets: UploadSet[];
  counting: StoredPolicy[];
}

/** Looks whether a job can run, in the order of `jobs.md` 8: rules, then what is stored, then what is in it. */
@Injectable()
export class Validation {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(OwnersStore) private readonly owners: OwnersStore,
    @Inject(Freezer) private readonly freezer: Freezer,
    @Inject(ContentCheck) private readonly content: ContentCheck,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** No findings: all is well, the buckets are frozen, and pins and plan are stored. */
  async run(job: Job): Promise<Finding[]> {
    const registered = await this.registered(job);
    const compiled = this.compile(registered);
    if (compiled instanceof Refusal) return [refusedBy(compiled)];
    const { minOwners } = this.settings;
    const now = this.clock.now();
    const found = stageA({ ...registered, plan: compiled.plan, minOwners, now });
    if (found.length > 0) return found;
    const { pins, findings } = await this.stageB(registered);
    if (findings.length > 0) return findings;
    const plan = await this.store.transaction((tx) =>
      this.keep(tx, registered, { compiled, pins, deadlineFrom: now }),
    );
    return job.execution === 'local' ? this.content.run(job, plan) : [];
  }

  private async registered(job: Job): Promise<Registered> {
    const [parties, owners, sets, policies] = await Promise.all([
      this.jobs.parties(job.id),
      this.owners.registered(job.id),
      this.owners.sets(job.id),
      this.owners.policies(job.id),
    ]);
    return { job, parties, owners, sets, counting: countingOf(policies) };
  }

  /** Policies may bound aggregates more than the job did. */
  private compile({ job, counting }: Registered): Compiled | Refusal {
    try {
      return compile(job.sql, tablesOf(job.schema), strictest(job.options, counting));
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  private async stageB(registered: Registered): Promise<{ pins: Pin[]; findings: Finding[] }> {
    const { job, parties, owners, sets, counting } = registered;
    const { listing, policies } = await this.freezer.freeze(job, parties, { owners, counting });
    const { uploadMaxBytes: maxBytes, validateSkipIdle: skipIdle } = this.settings;
    const tables = [...tablesOf(job.schema).keys()];
    const checked = owners.flatMap((owner) =>
      tables.flatMap((table) => {
        const own = sets.filter((set) => set.owner === owner.name && set.tableName === table);
        return own.length === 0 ? [] : effectiveFiles(owner, own, listing, { maxBytes, skipIdle });
      }),
    );
    const pins = checked.flatMap((each) => each.pins);
    const named = tables.length > 1 ? pins : pins.map((pin) => ({ ...pin, tableName: null }));
    return { pins: [...named, ...policies], findings: checked.flatMap((each) => each.findings) };
  }

  private async keep(
    tx: Tx,
    { job, owners, counting }: Registered,
    { compiled, pins, deadlineFrom }: { compiled: Compiled; pins: Pin[]; deadlineFrom: Date },
  ): ReturnType<typeof secondPlan> {
    await tx.query('DELETE FROM pins WHERE job = $1', [job.id]);
    for (const pin of pins) await insert(tx, 'pins', { job: job.id, ...pin });
    const options = strictest(job.options, counting);
    const plan = await secondPlan(job, { owners, pins, compiled, options, deadlineFrom });
    await tx.query('DELETE FROM plans WHERE job = $1 AND attempt = $2 AND version = 2', [
      job.id,
      job.attempt,
    ]);
    await this.jobs.addPlan(tx, job, plan.version);
    return plan;
  }
}

function refusedBy({ code, message }: Refusal): Finding {
  return { code: 'policy_violation', use: code, message };
}
