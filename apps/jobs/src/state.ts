/** Where a job is (`jobs.md` 4). */
export const JOB_STATES = [
  'created',
  'validating',
  'submitted',
  'creating_vms',
  'vms_created',
  'auth_setup',
  'auth_done',
  'deploying',
  'deployed',
  'inputs_preparing',
  'inputs_ready',
  'running',
  'exporting',
  'terminating',
  'success',
  'failing',
  'cancelling',
  'fail',
  'cancelled',
] as const;

export type JobState = (typeof JOB_STATES)[number];

/** What `get_status` shows; null: 409, as the job is not submitted. */
const labels: Record<JobState, string | null> = {
  created: null,
  validating: null,
  submitted: 'Submitted',
  creating_vms: 'Creating VMs',
  vms_created: 'VMs Created',
  auth_setup: 'Setting Up Authentication',
  auth_done: 'Finished Authentication Setup',
  deploying: 'Deploying TVA Core',
  deployed: 'Finished TVA Core Deployment',
  inputs_preparing: 'Finished TVA Core Deployment',
  inputs_ready: 'Finished TVA Core Deployment',
  running: 'Running Experiment',
  exporting: 'Running Experiment',
  terminating: 'Running Experiment',
  success: 'Success',
  failing: null,
  cancelling: null,
  fail: 'Fail',
  cancelled: 'Fail',
};

/** The states of an attempt in their order; while one of the others holds, the last of them is what is shown. */
export const RUNNING_STATES = JOB_STATES.slice(
  JOB_STATES.indexOf('submitted'),
  JOB_STATES.indexOf('success'),
);

export const ENDED_STATES: readonly JobState[] = ['success', 'fail', 'cancelled'];

const fromSubmittedToExporting = RUNNING_STATES.slice(0, -1);

/** The states that may be left for each one; retry and delete are no part of it. */
const before: Record<JobState, readonly JobState[]> = {
  created: ['validating', 'fail', 'cancelled'],
  validating: ['created'],
  submitted: ['validating', 'fail', 'cancelled'],
  creating_vms: ['submitted'],
  vms_created: ['creating_vms'],
  auth_setup: ['vms_created'],
  auth_done: ['auth_setup'],
  deploying: ['auth_done'],
  deployed: ['deploying'],
  inputs_preparing: ['deployed'],
  inputs_ready: ['inputs_preparing'],
  running: ['inputs_ready'],
  exporting: ['running'],
  terminating: ['exporting'],
  success: ['terminating'],
  failing: fromSubmittedToExporting,
  cancelling: fromSubmittedToExporting,
  fail: ['failing'],
  cancelled: ['cancelling', 'created', 'validating'],
};

export function mayFollow(from: JobState, to: JobState): boolean {
  return before[to].includes(from);
}

export function hasEnded(state: JobState): boolean {
  return ENDED_STATES.includes(state);
}

/**
 * The label of a job.
 * @param reached the last state of its attempt out of {@link RUNNING_STATES}; null before the first one
 */
export function labelOf(state: JobState, reached: JobState | null): string | null {
  return labels[state] ?? (reached && labels[reached]);
}
