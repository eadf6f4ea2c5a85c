import type { JobState } from '../state.js';

/** The steps that lead to a result; teardown follows, whatever their outcome. */
export type StepName = 'create_vms' | 'setup_auth' | 'deploy' | 'prepare_inputs' | 'run' | 'export';

export interface Step {
  name: StepName;
  /** The state before it, and the one while it goes on; the same where it begins with its predecessor's end. */
  before: JobState;
  during: JobState;
  /** The state that its success leads to. */
  after: JobState;
  timeoutMs: number;
  /** Times that it is tried, with new agents after each failure. */
  tries: number;
}

/**
 * The work of an attempt in its order (jobs.md 9). The transfers of an export are tried again by the agents: a result
 * belongs to the agents that have it, so the step itself has one try.
 */
export const steps: readonly Step[] = [
  step('create_vms', ['submitted', 'creating_vms', 'vms_created'], 600, 3),
  step('setup_auth', ['vms_created', 'auth_setup', 'auth_done'], 180, 3),
  step('deploy', ['auth_done', 'deploying', 'deployed'], 180, 3),
  step('prepare_inputs', ['deployed', 'inputs_preparing', 'inputs_ready'], 900, 3),
  step('run', ['inputs_ready', 'running', 'exporting'], 3600, 2),
  step('export', ['exporting', 'exporting', 'terminating'], 300, 1),
];

function step(
  name: StepName,
  [before, during, after]: [JobState, JobState, JobState],
  timeoutSeconds: number,
  tries: number,
): Step {
  return { name, before, during, after, timeoutMs: timeoutSeconds * 1_000, tries };
}

/** The last one: stop agents, end certificates, delete instances. It is tried until the time is up, then the reaper goes on. */
export const teardownStep = { name: 'teardown', timeoutMs: 600_000, tries: 10 } as const;

/** The step that a state is in or before; undefined where there is none to do. */
export function stepOf(state: JobState): Step | undefined {
  return steps.find(({ before, during }) => state === before || state === during);
}

/** What `get_status` shows of the way, 0 to 1. */
export function progressAfter(name: StepName): number {
  const place = steps.findIndex((each) => each.name === name);
  return (place + 1) / (steps.length + 1);
}
