import { LOGGER, type Logger } from '@glacis/observability';
import { CLOCK, Loop, type Clock } from '@glacis/runtime';
import { Store } from '@glacis/store';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { purgeAgents } from '../agents/agents.store.js';
import { ComputeProviders } from '../compute/compute-providers.js';
import { Crews } from './crews.js';
import { closeTeardowns, livingRuns, strayAgents } from './reaper.store.js';

const everyMs = 60_000;
const callMs = 60_000;
/** Milliseconds that agents may live beside a job that has none to run: as long as their keys or checks may take. */
const graceMs = 180_000;
/** Milliseconds that what was told to agents is kept. */
const keptMs = 7 * 86_400_000;

/** Ends what no live attempt owns (jobs.md 9): what a kill, or a call that succeeded after its time-out, has left. */
@Injectable()
export class Reaper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(ComputeProviders) private readonly compute: ComputeProviders,
    @Inject(Crews) private readonly crews: Crews,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.loop = new Loop({
      name: 'reaper of jobs',
      intervalMs: everyMs,
      run: () => this.run(),
      onError: (err) => this.logger.warn({ err }, 'what jobs have left behind is not ended yet'),
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async run(): Promise<void> {
    const now = this.clock.now();
    for (const agent of await strayAgents(this.store, new Date(now.getTime() - graceMs)))
      await this.crews.endOne(agent);
    await this.endUnowned(now);
    await closeTeardowns(this.store);
    await purgeAgents(this.store, new Date(now.getTime() - keptMs));
  }

  /** An agent's row is there before its instance, so an instance without a living one is nobody's. */
  private async endUnowned(now: Date): Promise<void> {
    const call = { timeoutMs: callMs };
    for (const provider of this.compute.all()) {
      const instances = await provider.listByTag({}, call);
      const owned = await livingRuns(
        this.store,
        instances.map(({ runId }) => runId),
      );
      const ours = instances.filter(({ runId, tags }) => !owned.has(runId) || tags.expires < now);
      for (const { ref } of ours) await provider.terminate(ref, call);
    }
  }
}
