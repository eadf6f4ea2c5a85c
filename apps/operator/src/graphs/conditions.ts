import type { Condition, GraphStatus } from '@glacis/graphs';

/** Failed attempts of a generation after which a person should look. Others follow, at the longest delay. */
const retryLimit = 5;

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** What the conditions are made of, beside the status that they are part of. */
export interface ConditionFacts {
  generation: number;
  now: Date;
  /** Of the generation: whether all rules hold, as far as they could be asked. */
  validated: 'yes' | 'pending' | 'unknown';
  /** Failed attempts of the generation. */
  attempts: number;
}

/** The conditions (2.4) of a status; times move with the `status` of each alone. */
export function conditionsOf(
  status: Omit<GraphStatus, 'conditions'>,
  before: readonly Condition[] | undefined,
  facts: ConditionFacts,
): Condition[] {
  const deployed = deployedVerdict(status);
  const verdicts = {
    Validated: validatedVerdict(status, before, facts),
    Deployed: deployed,
    Ready: readyVerdict(status, deployed),
    Stalled: stalledVerdict(status, facts),
  };
  return Object.entries(verdicts).map(([type, verdict]) => {
    const old = before?.find((condition) => condition.type === type);
    const stands = old?.status === verdict.status;
    return {
      type: type as Condition['type'],
      ...verdict,
      message: verdict.message.slice(0, 32_768),
      lastTransitionTime: stands ? old.lastTransitionTime : wholeSeconds(facts.now),
      observedGeneration: facts.generation,
    };
  });
}

const is = (status: Condition['status'], reason: string, message: string): Verdict => ({
  status,
  reason,
  message,
});

function validatedVerdict(
  { reason, messages = '' }: GraphStatus,
  before: readonly Condition[] | undefined,
  { validated, generation }: ConditionFacts,
): Verdict {
  if (validated === 'yes') return is('True', 'Valid', 'all rules hold');
  if (reason === 'GraphValidationError') {
    return validated === 'pending'
      ? is('Unknown', 'Pending', messages)
      : is('False', 'GraphValidationError', messages);
  }
  const old = before?.find(({ type }) => type === 'Validated');
  if (old?.observedGeneration === generation) return is(old.status, old.reason, old.message);
  return is('Unknown', 'Pending', 'not examined yet');
}

function deployedVerdict({ phase, reason, messages = '' }: GraphStatus): Verdict {
  switch (phase) {
    case 'Deployed':
      return is('True', 'Deployed', 'every release is installed');
    case 'Undeployed':
      return is('False', 'Undeployed', 'taken down, as `deploy` says');
    case 'Deleting':
      return is('False', 'Deleting', 'being taken down before it is deleted');
    case 'Failed':
      return is('False', reason ?? 'GraphDeploymentError', messages);
    default:
      return is('False', 'Progressing', `the phase is ${phase ?? 'not set yet'}`);
  }
}

function readyVerdict({ components = [], flows = [] }: GraphStatus, deployed: Verdict): Verdict {
  if (deployed.status !== 'True') return is('False', 'NotDeployed', deployed.message);
  const [waitingComponents, waitingFlows] = [named(components), named(flows)];
  if (waitingComponents !== '') return is('False', 'ComponentsNotReady', waitingComponents);
  if (waitingFlows !== '') return is('False', 'FlowsNotReady', waitingFlows);
  return is('True', 'Ready', 'every component and flow is normal');
}

/** Those that are not as they should be, with what is known of them. */
function named(items: readonly { name: string; state: string; message?: string }[]): string {
  return items
    .filter(({ state }) => state !== 'normal')
    .map(({ name, state, message }) => `${name} is ${state}${message ? `: ${message}` : ''}`)
    .join('; ');
}

function stalledVerdict(
  { phase, reason, messages = '' }: GraphStatus,
  { validated, attempts }: ConditionFacts,
): Verdict {
  if (attempts >= retryLimit) {
    return is('True', 'RetryLimit', `${attempts} attempts have failed; the last: ${messages}`);
  }
  if (reason === 'GraphValidationError' && validated !== 'pending') {
    return is('True', 'GraphValidationError', messages);
  }
  const finished = phase === 'Deployed' || phase === 'Undeployed';
  return finished
    ? is('False', 'Succeeded', 'nothing is left to be done')
    : is('False', 'Progressing', 'work goes on');
}

/** As meta/v1 writes times. */
const wholeSeconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');
