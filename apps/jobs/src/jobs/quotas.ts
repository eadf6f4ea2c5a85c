import { CLOCK, systemClock, type Clock } from '@glacis/runtime';
import type { Tx } from '@glacis/store';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { refusals } from '../contract/contract-error.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { ENDED_STATES } from '../state.js';

const dayMs = 86_400_000;

/** How many jobs an analyst may have (`jobs.md` 2.2, check 13). */
@Injectable()
export class Quotas {
  constructor(
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Optional() @Inject(CLOCK) private readonly clock: Clock = systemClock,
  ) {}

  /**
   * Checks, and holds others of the same analyst back until the transaction ends.
   * @param analyst null for those without a token, who share one quota
   * @throws {ContractError} 429
   */
  async check(tx: Tx, tenant: string, analyst: string | null): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`${tenant}\n${analyst ?? ''}`]);
    const [counts] = await tx.query<{ open: string; recent: string }>(
      `SELECT count(*) FILTER (WHERE state <> ALL ($3)) AS open,
              count(*) FILTER (WHERE created_at > $4) AS recent
       FROM jobs WHERE tenant = $1 AND analyst IS NOT DISTINCT FROM $2`,
      [tenant, analyst, ENDED_STATES, new Date(this.clock.now().getTime() - dayMs)],
    );
    const { openJobs, jobsPerDay } = this.settings;
    if (Number(counts?.open) >= openJobs || Number(counts?.recent) >= jobsPerDay)
      throw refusals.tooMany();
  }
}
