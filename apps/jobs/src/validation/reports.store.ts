import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import { Store, type Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { JobEvents } from '../jobs/job-events.js';
import { entityOf, insert } from '../jobs/rows.js';
import type { Finding } from './finding.js';
import { toldCode } from './told.js';

/** What came out of looking at the data of a job. */
export interface ValidationReport {
  ok: boolean;
  at: Date;
  findings: Finding[];
}

/** Findings of a report that are kept, at most. */
const kept = 1000;

@Injectable()
export class ReportsStore {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(JobEvents) private readonly events: JobEvents,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /** No findings: all is well. */
  async add(tx: Tx, job: string, findings: readonly Finding[]): Promise<void> {
    const [row] = await tx.query<{ number: number }>(
      'SELECT coalesce(max(number), 0) + 1 AS number FROM validations WHERE job = $1',
      [job],
    );
    await insert(tx, 'validations', {
      job,
      number: row?.number ?? 1,
      at: this.clock.now(),
      ok: findings.length === 0,
      findings: findings.slice(0, kept),
    });
    for (const code of new Set(findings.map((each) => each.code)))
      await this.events.add(tx, job, 'warning', { code: toldCode(code) });
  }

  /** The newest one. */
  async newest(job: string): Promise<ValidationReport | undefined> {
    const [row] = await this.store.query(
      'SELECT ok, at, findings FROM validations WHERE job = $1 ORDER BY number DESC LIMIT 1',
      [job],
    );
    return row && entityOf<ValidationReport>(row);
  }
}
