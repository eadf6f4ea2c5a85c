import type { AgentFinding, FailureClass, InstructionStep } from '@glacis/contracts';

/** The process of one party in one attempt; attempt 0 makes keys. Its id is the entity of its certificate (11.10). */
export interface Agent {
  id: string;
  jobId: string;
  attempt: number;
  party: number;
  tenant: string;
  /** Name of the provider that runs it. */
  provider: string;
  /** By which its provider knows it; null until it has been started. */
  instance: unknown;
  uri: string | null;
  macKey: string | null;
  startedAt: Date;
  enrolledAt: Date | null;
  /** When it last called. */
  heardAt: Date | null;
}

export interface Failure {
  class: FailureClass;
  code: string;
  message: string;
}

/** An instruction with what became of it. An agent gets at most one of each step. */
export interface Instructed {
  id: string;
  agentId: string;
  party: number;
  step: InstructionStep;
  endedAt: Date | null;
  failure: Failure | null;
  findings: AgentFinding[] | null;
  /** Of the schema of its step in `stepResults`. */
  result: unknown;
}
