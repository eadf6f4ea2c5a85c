import type { ComputationRun } from '@glacis/grpc';

/** Length of a SHA3-256 hash in bytes. */
const hashBytes = 32;

/** Why a run cannot be started, or undefined when it can. What makes upstream managers panic is refused here. */
export function runProblem(run: ComputationRun): string | undefined {
  if (run.id === '') return 'id is missing';
  if (run.algorithm === undefined) return 'algorithm is missing';
  if (run.agentConfig === undefined) return 'agent_config is missing';
  if (run.algorithm.hash.length !== hashBytes) return 'algorithm hash is not 32 bytes long';
  const wrong = run.datasets.findIndex((dataset) => dataset.hash.length !== hashBytes);
  return wrong < 0 ? undefined : `hash of dataset ${wrong} is not 32 bytes long`;
}
