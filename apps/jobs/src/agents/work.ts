import type { Instruction, Report } from '@glacis/contracts';
import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { JobLogs } from '../jobs/job-logs.js';
import type { Agent } from './agent.entity.js';
import { Bells } from './bells.js';
import { applyReport, insertReport, nextInstruction } from './instructions.store.js';

/** Milliseconds after which a waiting agent is looked after again, as another replica may have written its instruction. */
const lookMs = 1_000;

/** What agents are told to do, and what they say of it. */
@Injectable()
export class Work {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(Bells) private readonly bells: Bells,
    @Inject(JobLogs) private readonly logs: JobLogs,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The next instruction; undefined when none has come within `waitMs`. */
  async next(agent: Agent, waitMs: number, signal: AbortSignal): Promise<Instruction | undefined> {
    const bell = this.bells.of(agent.id);
    const until = performance.now() + waitMs;
    for (;;) {
      const { count } = bell;
      const found = await nextInstruction(this.store, agent.id);
      const left = until - performance.now();
      if (found !== undefined || left <= 0 || signal.aborted) return found;
      await bell.after(count, Math.min(lookMs, left), signal);
    }
  }

  /** Once for each id: repeated reports change nothing. */
  async report(agent: Agent, report: Report): Promise<void> {
    const log = report.log ?? [];
    if (report.status === 'alive' && log.length === 0) return;
    await this.store.transaction(async (tx) => {
      if (!(await insertReport(tx, agent.id, report.id))) return;
      if (report.instruction !== null) await applyReport(tx, agent.id, report, this.clock.now());
      const { attempt, party, jobId } = agent;
      await this.logs.add(
        tx,
        jobId,
        log.map(({ level, text }) => ({ attempt, party, level, text, agent: true })),
      );
      tx.afterCommit(() => this.bells.ring(jobId));
    });
  }
}
