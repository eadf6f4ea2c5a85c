import { setTimeout as sleep } from 'node:timers/promises';
import type { Instruction, Report } from '@glacis/contracts';
import { backoffMs } from '@glacis/runtime';
import type { Coordinator } from '../coordinator/coordinator.js';
import { classOf, mayPass } from '../coordinator/retry.js';
import { StepFailure } from '../failure.js';
import type { Steps } from './steps.js';

/** Milliseconds between signs of life (jobs.md 9). */
const ALIVE_MS = 10_000;

const backoff = { initialMs: 200, factor: 2, maxMs: 5_000, jitter: 0.5 };

type Outcome = Pick<Report, 'status' | 'result' | 'failure' | 'findings'>;

/** Pulls instructions and does them one after another; one that comes again is not done again. */
export class WorkLoop {
  private readonly outcomes = new Map<string, Promise<Outcome>>();
  private last: Promise<unknown> = Promise.resolve();
  private failures = 0;

  constructor(
    private readonly coordinator: Coordinator,
    private readonly steps: Steps,
  ) {}

  /** Until `stop`, or until the coordinator does not know this agent any more. */
  async run(signal: AbortSignal): Promise<void> {
    const alive = setInterval(() => void this.coordinator.alive(), ALIVE_MS);
    try {
      while (!signal.aborted && (await this.turn(signal)));
    } finally {
      clearInterval(alive);
      this.steps.close();
    }
  }

  /** One request for work; false when there is none to come. */
  private async turn(signal: AbortSignal): Promise<boolean> {
    try {
      const next = await this.coordinator.work(signal);
      this.failures = 0;
      if (next?.step === 'stop') await this.coordinator.report(stopped(next));
      else if (next) await this.take(next);
      return next?.step !== 'stop';
    } catch (error) {
      if (!mayPass(error)) return false;
      this.failures += 1;
      await sleep(backoffMs(backoff, this.failures), undefined, { signal }).catch(() => undefined);
      return true;
    }
  }

  /** Acknowledges at once, so that it does not come again while it is done. */
  private async take(instruction: Instruction): Promise<void> {
    await this.coordinator.report({ instruction: instruction.id, status: 'accepted' });
    const outcome =
      this.outcomes.get(instruction.id) ?? this.last.then(() => this.perform(instruction));
    this.outcomes.set(instruction.id, outcome);
    this.last = outcome;
    void outcome
      .then((report) => this.coordinator.report({ instruction: instruction.id, ...report }))
      // The coordinator hears nothing of this agent then, which is what it acts on.
      .catch(() => undefined);
  }

  private async perform(instruction: Instruction): Promise<Outcome> {
    try {
      return { status: 'done', result: await this.resultOf(instruction) };
    } catch (error) {
      return failed(error);
    }
  }

  private resultOf(instruction: Instruction): Promise<unknown> {
    const { steps } = this;
    switch (instruction.step) {
      case 'keys':
        return steps.keys();
      case 'deploy':
        return steps.deploy(instruction.body);
      case 'inputs':
        return steps.loadInputs();
      case 'check':
        return steps.check(instruction.body);
      case 'run':
        return steps.run();
      case 'export':
        return steps.export();
      default:
        return Promise.resolve({});
    }
  }
}

const stopped = ({ id }: Instruction): Omit<Report, 'id'> => ({
  instruction: id,
  status: 'done',
  result: {},
});

/** What is told of an error that nobody foresaw is its name: messages may quote what they are about. */
function failed(error: unknown): Outcome {
  if (error instanceof StepFailure) {
    const { failure, code, message, findings } = error;
    return {
      status: 'failed',
      failure: { class: failure, code, message },
      findings: [...findings],
    };
  }
  const name = error instanceof Error ? error.name : 'unknown';
  const failure = { class: classOf(error), code: 'agent_error', message: `unexpected: ${name}` };
  return { status: 'failed', failure };
}
