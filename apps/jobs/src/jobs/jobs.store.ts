import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Queryable, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { JobState } from '../state.js';
import type { PlanVersion } from '../plan/plan-version.js';
import type { Job, JobParty } from './job.entity.js';
import { entityOf, insert } from './rows.js';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

@Injectable()
export class JobsStore {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** @param id as a caller gave it; what is no UUID is no job */
  async find(id: string, db: Queryable = this.store): Promise<Job | undefined> {
    if (!uuid.test(id)) return undefined;
    const [row] = await db.query('SELECT * FROM jobs WHERE id = $1', [id]);
    return row && entityOf<Job>(row);
  }

  /** Those in a state whose lease has run out. */
  async inState(state: JobState, now: Date): Promise<Job[]> {
    const sql = 'SELECT * FROM jobs WHERE state = $1 AND lease_until <= $2 LIMIT 100';
    return (await this.store.query(sql, [state, now])).map((row) => entityOf<Job>(row));
  }

  /** In the order of the parties. */
  async parties(job: string, db: Queryable = this.store): Promise<JobParty[]> {
    const sql = 'SELECT * FROM job_parties WHERE job = $1 ORDER BY party';
    return (await db.query(sql, [job])).map((row) => entityOf<JobParty>(row));
  }

  /** With its row locked: nobody else changes the job, nor registers with it, until the transaction ends. */
  async lock(tx: Tx, id: string): Promise<Job | undefined> {
    const [row] = await tx.query('SELECT * FROM jobs WHERE id = $1 FOR UPDATE', [id]);
    return row && entityOf<Job>(row);
  }

  async insert(tx: Tx, job: Job, parties: readonly JobParty[]): Promise<void> {
    await insert(tx, 'jobs', job);
    for (const party of parties) await insert(tx, 'job_parties', party);
  }

  async addPlan(tx: Tx, { id, attempt }: Job, version: PlanVersion): Promise<void> {
    await insert(tx, 'plans', { job: id, attempt, ...version, createdAt: this.clock.now() });
  }
}
