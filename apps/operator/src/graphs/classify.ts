import { FINALIZER, type RampartGraph } from '@glacis/graphs';

/**
 * What a graph needs (4.2):
 * - `nothing`: it is going, and holds none of our marks any more
 * - `delete`: it is going, and what was made for it goes first
 * - `undeploy`, `deploy`: what the spec asks for is not finished
 * - `keep`: it is, and is compared with what is there
 */
export type Course = 'nothing' | 'delete' | 'undeploy' | 'deploy' | 'keep';

/** From the graph alone: what was remembered elsewhere could be lost. */
export function courseOf({ metadata, spec, status }: RampartGraph): Course {
  if (metadata.deletionTimestamp !== undefined) {
    return metadata.finalizers?.includes(FINALIZER) ? 'delete' : 'nothing';
  }
  const wanted = spec.deploy === false ? 'undeploy' : 'deploy';
  const reached = wanted === 'deploy' ? 'Deployed' : 'Undeployed';
  const finished = status?.observedGeneration === metadata.generation;
  // A write of v1beta1 that changes the annotation alone turns `deploy` without another generation.
  return finished && status?.phase === reached ? 'keep' : wanted;
}
