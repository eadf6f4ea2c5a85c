import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Queryable, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import type { JobState } from '../state.js';
import type { PlanVersion } from '../plan/plan-version.js';
import type { Job, JobParty } from './job.entity.js';
import type { Position } from './listing.js';
import { entityOf, insert } from './rows.js';

/** Which jobs a list shows, newest first. */
export interface JobFilter {
  tenant: string;
  analyst?: string;
  id?: string;
  state?: JobState;
  /** Part of the name. */
  name?: string;
  /** RFC 3339. */
  createdAfter?: string;
  before?: Position;
  limit: number;
}

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

  async list(filter: JobFilter): Promise<Job[]> {
    const { tenant, analyst, id, state, name, createdAfter, before, limit } = filter;
    const rows = await this.store.query(
      `SELECT * FROM jobs WHERE tenant = $1 AND ($2::text IS NULL OR analyst = $2)
         AND ($3::uuid IS NULL OR id = $3) AND ($4::text IS NULL OR state = $4)
         AND ($5::text IS NULL OR position($5 in name) > 0)
         AND ($6::timestamptz IS NULL OR created_at > $6)
         AND ($7::timestamptz IS NULL OR (created_at, id) < ($7, $8::uuid))
       ORDER BY created_at DESC, id DESC LIMIT $9`,
      [
        tenant,
        analyst ?? null,
        id ?? null,
        state ?? null,
        name ?? null,
        createdAfter ?? null,
        before?.createdAt ?? null,
        before?.id ?? null,
        limit,
      ],
    );
    return rows.map((row) => entityOf<Job>(row));
  }

  /** False: it has changed meanwhile. */
  async delete(tx: Tx, { id, state, attempt }: Job): Promise<boolean> {
    const sql = 'DELETE FROM jobs WHERE id = $1 AND state = $2 AND attempt = $3 RETURNING 1';
    return (await tx.query(sql, [id, state, attempt])).length === 1;
  }

  /** The newest of the newest attempt that has one. */
  async plan({ id }: Job): Promise<PlanVersion | undefined> {
    const [row] = await this.store.query(
      `SELECT version, plan, hash FROM plans WHERE job = $1
       ORDER BY attempt DESC, version DESC LIMIT 1`,
      [id],
    );
    return row && entityOf<PlanVersion>(row);
  }

  async addPlan(tx: Tx, { id, attempt }: Job, version: PlanVersion): Promise<void> {
    await insert(tx, 'plans', { job: id, attempt, ...version, createdAt: this.clock.now() });
  }
}
