import type { FlowStatus } from '@glacis/graphs';
import type { Work } from './work.js';

/** Of the generation that is worked on, or of its deletion. */
export function failedAttempts({ graph: { metadata, status } }: Pick<Work, 'graph'>): number {
  const isDeletion = metadata.deletionTimestamp !== undefined;
  const counts = isDeletion
    ? status?.phase === 'Deleting'
    : status?.observedGeneration === metadata.generation;
  return counts ? (status?.attempts ?? 0) : 0;
}

export const nextAttempt = (work: Work): number => failedAttempts(work) + 1;

/** Topics that are recorded and no longer asked for: only what is recorded is ever removed. */
export function leftovers({ graph }: Pick<Work, 'graph'>): FlowStatus[] {
  const { flows } = graph.spec.graph;
  return (graph.status?.flows ?? []).filter(
    ({ name, type, resource }) =>
      resource !== undefined && !(Object.hasOwn(flows, name) && flows[name]?.type === type),
  );
}
