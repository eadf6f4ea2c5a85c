import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { SETTINGS, type JobsSettings } from '../settings.js';
import type { Job } from './job.entity.js';
import { entityOf } from './rows.js';
import { Transitions } from './transitions.js';

const dayMs = 86_400_000;

/** Ends jobs that nobody has submitted in all the time that their buckets are kept. */
@Injectable()
export class AbandonedJobs {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Transitions) private readonly transitions: Transitions,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  async run(): Promise<void> {
    const before = new Date(this.clock.now().getTime() - this.settings.retentionDays * dayMs);
    const sql = `SELECT * FROM jobs WHERE state = 'created' AND updated_at <= $1 LIMIT 100`;
    for (const row of await this.store.query(sql, [before])) {
      const job = entityOf<Job>(row);
      const more = { cancelReason: 'not submitted in time', teardown: 'done' } as const;
      await this.store.transaction((tx) => this.transitions.transition(tx, job, 'cancelled', more));
    }
  }
}
