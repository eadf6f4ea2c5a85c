import type { ComputationRun } from '@glacis/grpc';
import { runProblem } from './run-problem.js';
import { runStep, type RunInput, type RunPhase, type Saying } from './run-state.js';
import type { VmDriver } from '../vms/vm-driver.js';

export interface RunsOptions {
  driver: VmDriver;
  /** Gets all that is to be told to the server. */
  say: (computationId: string, saying: Saying) => void;
}

interface Computation {
  id: string;
  phase: RunPhase | undefined;
}

/** The computations of this host: orders and reports go in, sayings and acts of the driver come out. */
export class Runs {
  private readonly computations = new Map<string, Computation>();

  constructor(private readonly options: RunsOptions) {}

  /** How many are here, starting, running, finished or stopping. */
  get size(): number {
    return this.computations.size;
  }

  /** Resolves when the run has started or failed; never rejects. */
  async run(run: ComputationRun): Promise<void> {
    const problem = runProblem(run);
    if (problem !== undefined) {
      this.options.say(run.id, { kind: 'provision', status: 'failed', reason: problem });
      return;
    }
    const computation = this.known(run.id);
    if (this.feed(computation, { kind: 'requested' }) === 'start')
      await this.start(run, computation);
  }

  /** Resolves when the computation is gone; never rejects. */
  async stop(computationId: string): Promise<void> {
    const computation = this.known(computationId);
    if (this.feed(computation, { kind: 'stopRequested' }) !== 'stop') return;
    try {
      await this.options.driver.stop(computationId);
      this.feed(computation, { kind: 'stopped' });
    } catch (error) {
      this.feed(computation, { kind: 'stopFailed', reason: (error as Error).message });
    }
  }

  /** Stops every guest and tells nobody: the stream is gone or going. */
  async stopAll(): Promise<void> {
    const ids = [...this.computations.keys()];
    this.computations.clear();
    await Promise.allSettled(ids.map((id) => this.options.driver.stop(id)));
  }

  private known(id: string): Computation {
    return this.computations.get(id) ?? { id, phase: undefined };
  }

  private async start(run: ComputationRun, computation: Computation): Promise<void> {
    // A report may come after its computation was stopped, and even after another run of the same id has begun.
    const report = (input: RunInput): void => {
      if (this.computations.get(run.id) === computation) this.feed(computation, input);
    };
    try {
      const { port } = await this.options.driver.start(
        { kind: 'computation', id: run.id, run },
        report,
      );
      report({ kind: 'started', port });
    } catch (error) {
      report({ kind: 'failed', reason: (error as Error).message });
    }
  }

  private feed(computation: Computation, input: RunInput): 'start' | 'stop' | undefined {
    const { id } = computation;
    const step = runStep(computation.phase, input);
    computation.phase = step.phase;
    if (step.phase === 'over') this.computations.delete(id);
    else this.computations.set(id, computation);
    for (const saying of step.say) this.options.say(id, saying);
    return step.act;
  }
}
