import { randomUUID } from 'node:crypto';
import { CLOCK, Loop, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { actorOf, type JobsCaller } from '../access/callers.js';
import type { Job } from '../jobs/job.entity.js';
import { JobsStore } from '../jobs/jobs.store.js';
import { Transitions, type TransitionMore } from '../jobs/transitions.js';
import { leaseMs, renewLeases, renewMs } from '../runs/leases.store.js';
import { Runs } from '../runs/runs.service.js';
import type { Finding } from './finding.js';
import { Freezer } from './freezer.js';
import { ReportsStore } from './reports.store.js';

/** Takes jobs from `created` to `submitted`, or back, whoever else tries the same. */
@Injectable()
export class Submissions {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobsStore) private readonly jobs: JobsStore,
    @Inject(Transitions) private readonly transitions: Transitions,
    @Inject(Freezer) private readonly freezer: Freezer,
    @Inject(ReportsStore) private readonly reports: ReportsStore,
    @Inject(Runs) private readonly runs: Runs,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** The compare-and-set: of many submits one gets the job, under a lease. Undefined: another one has it. */
  async take(job: Job, caller: JobsCaller): Promise<Job | undefined> {
    if (job.state !== 'created') return undefined;
    const leaseUntil = new Date(this.clock.now().getTime() + leaseMs);
    return this.store.transaction(async (tx) => {
      if (!(await this.transitions.transition(tx, job, 'validating', by(caller)))) return undefined;
      await tx.query(
        `UPDATE jobs SET lease_owner = 'submit', lease_token = $2, lease_until = $3 WHERE id = $1`,
        [job.id, randomUUID(), leaseUntil],
      );
      return this.jobs.lock(tx, job.id);
    });
  }

  /** Keeps the lease while `work` goes on; with its process it ends. */
  async hold<T>({ leaseToken }: Job, work: () => Promise<T>): Promise<T> {
    const lease = new Loop({
      name: 'lease of a validation',
      intervalMs: renewMs,
      run: async () => void (await renewLeases(this.store, [leaseToken ?? ''], leaseMs)),
      // The next turn tries again; under a lease that was lost no state changes.
      onError: () => undefined,
    });
    lease.start();
    try {
      return await work();
    } finally {
      await lease.stop();
    }
  }

  /** Uploads are open again before anybody may submit again. @param caller absent: the service itself */
  async giveBack(job: Job, findings: readonly Finding[], caller?: JobsCaller): Promise<void> {
    await this.freezer.unfreeze(await this.jobs.parties(job.id));
    await this.store.transaction(async (tx) => {
      if (!(await this.transitions.transition(tx, job, 'created', under(job, caller)))) return;
      await this.reports.add(tx, job.id, findings);
      await release(tx, job);
    });
  }

  /** False: the job was cancelled meanwhile. */
  async queue(job: Job, caller: JobsCaller): Promise<boolean> {
    const deadlineAt = new Date(this.clock.now().getTime() + job.deadlineSeconds * 1000);
    return this.store.transaction(async (tx) => {
      const more = { ...under(job, caller), deadlineAt };
      if (!(await this.transitions.transition(tx, job, 'submitted', more))) return false;
      await this.reports.add(tx, job.id, []);
      await release(tx, job);
      const submitted = await this.jobs.lock(tx, job.id);
      if (submitted) await this.runs.begin(tx, submitted);
      return true;
    });
  }

  /** Those whose validation was lost with its process. */
  async lost(): Promise<Job[]> {
    return this.jobs.inState('validating', this.clock.now());
  }
}

function by(caller?: JobsCaller): TransitionMore {
  if (caller === undefined) return {};
  const { requestId, traceparent } = caller;
  return { actor: actorOf(caller), requestId, traceparent };
}

function under({ leaseToken }: Job, caller?: JobsCaller): TransitionMore {
  return { ...by(caller), leaseToken: leaseToken ?? undefined };
}

async function release(tx: Tx, { id }: Job): Promise<void> {
  await tx.query(
    'UPDATE jobs SET lease_owner = NULL, lease_token = NULL, lease_until = NULL WHERE id = $1',
    [id],
  );
}
