import type { FailureClass } from '@glacis/contracts';
import { ProviderError } from '../storage/provider-error.js';
import type { Failure } from '../jobs/job.entity.js';
import type { Finding } from '../validation/finding.js';

/** A step did not come to its end. Of the classes `transient` and `infra` it is tried again (jobs.md 9). */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';

  constructor(
    readonly failureClass: FailureClass,
    readonly code: string,
    message: string,
    readonly findings: readonly Finding[] = [],
  ) {
    super(message);
  }

  get retryable(): boolean {
    return this.failureClass === 'transient' || this.failureClass === 'infra';
  }

  /** As the job shows it. */
  asFailure(step: string): Failure {
    return { class: this.failureClass, code: this.code, message: this.message, step };
  }
}

/** Why the work of a step ended early: a limit of time, or the lease, which is then somebody else's. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(readonly reason: 'step' | 'deadline' | 'lease' | 'state') {
    super(reason);
  }

  /** Somebody else has the job, or has changed its state: whoever was interrupted has nothing to say of the step. */
  get isOfAnother(): boolean {
    return this.reason === 'lease' || this.reason === 'state';
  }
}

/** What was thrown in a step, as its failure. What nobody foresaw is a fault of ours, and of the engine's class. */
export function failureOf(error: unknown): StepFailure {
  if (error instanceof StepFailure) return error;
  if (error instanceof ProviderError)
    return new StepFailure(error.transient ? 'transient' : 'infra', error.code, error.message);
  if (error instanceof Interrupted && error.reason === 'deadline')
    return new StepFailure('timeout', 'deadline_exceeded', 'the deadline of the job has passed');
  if (error instanceof Interrupted)
    return new StepFailure('transient', 'step_timeout', 'the step took too long');
  return new StepFailure('infra', 'internal', 'the service failed; its log tells why');
}
