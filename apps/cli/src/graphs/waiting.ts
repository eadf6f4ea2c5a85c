import { setTimeout as sleep } from 'node:timers/promises';
import type { RampartGraph } from '@glacis/graphs';
import type { ObjectRef, ResourceClient } from '@glacis/kube';
import { UnreachableError, UsageError } from '../client.js';

export interface WaitFlags {
  /** Seconds. */
  timeout: string;
}

const everyMs = 1000;

/** Whether the operator is done with the graph as it is now, successfully or not. */
export function isSettled({ metadata, spec, status }: RampartGraph): boolean {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  const wanted = spec.deploy === false ? 'Undeployed' : 'Deployed';
  return status?.phase === wanted || status?.phase === 'Failed';
}

/** Waits until the operator is done. @throws {UnreachableError} when that takes longer than the time-out */
export async function settled(
  graphs: ResourceClient<RampartGraph>,
  ref: ObjectRef,
  { timeout }: WaitFlags,
): Promise<RampartGraph> {
  const seconds = Number(timeout);
  if (!(seconds > 0)) throw new UsageError('--timeout: expected a number of seconds');
  const deadline = performance.now() + seconds * 1000;
  for await (const graph of states(graphs, ref)) {
    if (isSettled(graph)) return graph;
    if (performance.now() < deadline) continue;
    throw new UnreachableError(`${ref.name} is ${graph.status?.phase ?? 'new'} after ${seconds} s`);
  }
  throw new UnreachableError(`${ref.name} is gone`);
}

/** The graph as it is, once a second, until it is gone. */
export async function* states(
  graphs: ResourceClient<RampartGraph>,
  ref: ObjectRef,
): AsyncGenerator<RampartGraph> {
  yield await graphs.get(ref);
  for (;;) {
    await sleep(everyMs);
    const graph = await graphs.find(ref);
    if (!graph) return;
    yield graph;
  }
}
