import type { GraphStatus } from '@glacis/graphs';
import { conditionsOf, type ConditionFacts } from './conditions.js';

const facts: ConditionFacts = {
  generation: 3,
  now: new Date('2026-11-22T00:00:00.500Z'),
  validated: 'yes',
  attempts: 0,
};

function told(status: GraphStatus, more: Partial<ConditionFacts> = {}): Record<string, string> {
  const all = conditionsOf(status, status.conditions, { ...facts, ...more });
  return Object.fromEntries(
    all.map(({ type, status: value, reason }) => [type, `${value} ${reason}`]),
  );
}

const component = { name: 'a', namespace: 'n', state: 'normal' } as const;

test.each([
  [
    'deployed and well',
    { phase: 'Deployed', components: [component] },
    {},
    'True Deployed',
    'True Ready',
    'False Succeeded',
  ],
  [
    'deployed, a component is not',
    { phase: 'Deployed', components: [{ ...component, state: 'error' }] },
    {},
    'True Deployed',
    'False ComponentsNotReady',
    'False Succeeded',
  ],
  [
    'deployed, a flow is not',
    { phase: 'Deployed', flows: [{ name: 'f', type: 'kafka', state: 'unknown' }] },
    {},
    'True Deployed',
    'False FlowsNotReady',
    'False Succeeded',
  ],
  [
    'under work',
    { phase: 'Deploying' },
    {},
    'False Progressing',
    'False NotDeployed',
    'False Progressing',
  ],
  [
    'undeployed',
    { phase: 'Undeployed' },
    {},
    'False Undeployed',
    'False NotDeployed',
    'False Succeeded',
  ],
  [
    'deleted',
    { phase: 'Deleting' },
    {},
    'False Deleting',
    'False NotDeployed',
    'False Progressing',
  ],
  [
    'failed once',
    { phase: 'Failed', reason: 'GraphDeploymentError' },
    { attempts: 1 },
    'False GraphDeploymentError',
    'False NotDeployed',
    'False Progressing',
  ],
  [
    'failed often',
    { phase: 'Failed', reason: 'GraphDeploymentError' },
    { attempts: 5 },
    'False GraphDeploymentError',
    'False NotDeployed',
    'True RetryLimit',
  ],
  [
    'refused',
    { phase: 'Failed', reason: 'GraphValidationError' },
    { attempts: 1, validated: 'unknown' },
    'False GraphValidationError',
    'False NotDeployed',
    'True GraphValidationError',
  ],
] as [string, GraphStatus, Partial<ConditionFacts>, string, string, string][])(
  'graph-apps.md 2.4: %s',
  (_, status, more, deployed, ready, stalled) => {
    expect(told(status, more)).toMatchObject({
      Deployed: deployed,
      Ready: ready,
      Stalled: stalled,
    });
  },
);

test('graph-apps.md 2.4: Validated is Unknown while a repository cannot be reached, and stays what it was after that', () => {
  const refused: GraphStatus = { phase: 'Failed', reason: 'GraphValidationError', messages: 'x' };
  expect(told(refused, { validated: 'pending' })['Validated']).toBe('Unknown Pending');
  expect(told(refused, { validated: 'unknown' })['Validated']).toBe('False GraphValidationError');
  const conditions = conditionsOf({ phase: 'Deploying' }, undefined, facts);
  expect(told({ phase: 'Deployed', conditions }, { validated: 'unknown' })['Validated']).toBe(
    'True Valid',
  );
});

test('a time moves with the status alone', () => {
  const [before] = conditionsOf({ phase: 'Deploying' }, undefined, facts);
  const later = { ...facts, now: new Date('2026-11-22T01:00:00Z'), generation: 4 };
  const [after] = conditionsOf({ phase: 'Deployed' }, before && [before], later);
  expect(after).toMatchObject({
    lastTransitionTime: '2026-11-22T00:00:00Z',
    observedGeneration: 4,
  });
});
