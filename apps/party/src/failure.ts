import type { AgentFinding, FailureClass } from '@glacis/contracts';

/** Why a step of this agent fails, in the words of a report: stable code, constant message, never a value. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';

  constructor(
    readonly failure: FailureClass,
    readonly code: string,
    message: string,
    readonly findings: readonly AgentFinding[] = [],
  ) {
    super(message);
  }
}
