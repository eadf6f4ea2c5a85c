import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { JobFeed } from './job-feed.js';

/** `event` of the stream of a job (`jobs.md` 3). */
export type JobEventName = 'state' | 'step' | 'log' | 'owner' | 'warning' | 'end';

export interface JobEventOptions {
  /** Only this owner, the analyst and admins are told. */
  owner?: string;
}

/** Writes what followers of a job are told, in the transaction of what it tells. Nothing secret, no value of a cell. */
@Injectable()
export class JobEvents {
  constructor(
    @Inject(JobFeed) private readonly feed: JobFeed,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  async add(
    tx: Tx,
    job: string,
    event: JobEventName,
    data: Record<string, unknown>,
    { owner }: JobEventOptions = {},
  ): Promise<void> {
    await tx.query(
      `WITH numbered AS (UPDATE jobs SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq)
       INSERT INTO job_events (job, seq, at, event, owner, data)
       SELECT $1, event_seq, $2, $3, $4, $5 FROM numbered`,
      [job, this.clock.now(), event, owner ?? null, JSON.stringify(data)],
    );
    tx.afterCommit(() => this.feed.changed(job));
  }
}
