import type { Plan } from './plan.js';

const ALL =
  'Everyone learns the query, the schema, policies and rules, the number of rows and of upload sets of each owner, the ' +
  'number of result slots, the duration, the bytes sent, and the class of a failure.';
const RANKS = 'The parties learn positions after a secret shuffle, which are uniformly random.';
const CHECKS = 'The parties learn one bit per owner and column that is checked for its range.';
const UNIQUE = 'The parties learn one bit: whether the join key of the declared side is unique.';
const FAULTS =
  'The owner concerned and admins learn which check failed, the analyst only that the data of an owner was rejected.';
const RAW = 'The analyst learns the rows that the condition holds for, as they are.';
const MASKED = 'The analyst learns which cells of filtered aggregates were held back.';
const UNCOVERED =
  'Not covered: inference from the result, or from several queries over the same people, owners who lie about their own ' +
  'data, a coordinator that deviates, timing seen by providers.';

function resultOf({ shape, limits }: Plan): string {
  if (shape === 'rows') return RAW;
  const counted = limits.counted === 'unit' ? 'persons (values of the privacy unit)' : 'rows';
  const groups = shape === 'groups' ? 'groups, and how many there are' : 'the whole as one group';
  return `The analyst learns the result of ${groups}, where at least ${limits.min_group_size} ${counted} and the other disclosure rules allow it.`;
}

function openedOf({ outputs }: Plan): string[] {
  return outputs.flatMap(({ name, source }) =>
    source.op === 'opening'
      ? [`The analyst learns the ${source.components.length} values of which ${name} is computed.`]
      : [],
  );
}

/** Who learns what from a run of this plan (jobs.md 11.8), sentence by sentence. */
export function leakageOf(plan: Plan): string[] {
  const { shape, order, limit, join, filters } = plan;
  const sorts = shape === 'groups' || order.length > 0 || limit !== undefined || join !== undefined;
  return [
    ALL,
    ...(sorts ? [RANKS] : []),
    CHECKS,
    ...(join ? [UNIQUE] : []),
    FAULTS,
    resultOf(plan),
    ...(filters.length > 0 ? [MASKED] : []),
    ...openedOf(plan),
    UNCOVERED,
  ];
}
