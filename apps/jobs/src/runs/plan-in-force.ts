import type { JobFacts } from '@glacis/contracts';

/** Of the plan version in force (jobs.md 9), what agents are told. */
export interface PlanInForce {
  /** Member `facts` of plan version 2; with the attempt of the day. */
  facts: JobFacts;
  /** SHA-256 of the plan version. */
  hash: string;
}
