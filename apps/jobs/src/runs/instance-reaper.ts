import { CLOCK, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { deleteAgents, jobsOfEnded, purgeAgents } from '../agents/agents.store.js';
import { ComputeProviders } from '../compute/compute-providers.js';
import { SETTINGS, type JobsSettings } from '../settings.js';
import { Crews } from './crews.js';
import { closeTeardowns, livingRuns, strayAgents } from './reaper.store.js';

const call = { timeoutMs: 60_000 };
/** Milliseconds that what was told to agents is kept. */
const keptMs = 7 * 86_400_000;

/** Ends agents and instances that no live attempt owns (jobs.md 9). */
@Injectable()
export class InstanceReaper {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(ComputeProviders) private readonly compute: ComputeProviders,
    @Inject(Crews) private readonly crews: Crews,
    @Inject(SETTINGS) private readonly settings: JobsSettings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async run(): Promise<void> {
    const now = this.clock.now();
    const grace = new Date(now.getTime() - this.settings.orphanGrace);
    for (const agent of await strayAgents(this.store, grace)) await this.crews.endOne(agent);
    await this.endUnowned(now);
    await this.forgetGone(grace);
    await closeTeardowns(this.store);
    await purgeAgents(this.store, new Date(now.getTime() - keptMs));
  }

  /** Keys of jobs that were deleted, or whose create was cut off before it made a bucket. */
  private async forgetGone(grace: Date): Promise<void> {
    for (const job of await jobsOfEnded(this.store, grace)) {
      for (const provider of this.compute.all()) await provider.forget(job, call);
      await deleteAgents(this.store, job);
    }
  }

  /** An agent's row is there before its instance, so an instance without a living one is nobody's. */
  private async endUnowned(now: Date): Promise<void> {
    for (const provider of this.compute.all()) {
      const instances = await provider.listByTag({}, call);
      const runIds = instances.map(({ runId }) => runId);
      const owned = await livingRuns(this.store, runIds);
      const over = instances.filter(({ runId, tags }) => !owned.has(runId) || tags.expires < now);
      for (const { ref } of over) await provider.terminate(ref, call);
    }
  }
}
