import type { ComputationRunReq as V051Run } from '../generated/cvms/v0.5.1/cvms.js';
import type { ComputationRunReq as V09Run } from '../generated/cvms/v0.9/cvms.js';
import type { ComputationRunReq as V010Run } from '../generated/cvms/v0.10/cvms.js';
import type { ComputationRun } from '../manager/messages.js';

/** Agents from `v0.5.1` on are told no host to listen on. */
export function fromV051Run(run: V051Run): ComputationRun {
  const { agentConfig } = run;
  return { ...run, agentConfig: agentConfig && { host: '', ...agentConfig } };
}

/** From `v0.9` on; the key broker stands where the version has it, the other place is not encoded. */
export function toSourcedRun(run: ComputationRun): V09Run & V010Run {
  const { algorithm } = run;
  return {
    ...run,
    kbs: run.kbs,
    datasets: run.datasets.map((dataset) => ({
      ...dataset,
      source: dataset.source,
      decompress: dataset.decompress ?? false,
      kbs: dataset.kbs,
    })),
    algorithm: algorithm && {
      ...algorithm,
      source: algorithm.source,
      algoType: algorithm.algoType ?? '',
      algoArgs: algorithm.algoArgs ?? [],
      kbs: algorithm.kbs,
    },
  };
}

/** What the suite leaves out is empty or false on the wire. */
export function fromSourcedRun(run: V09Run | V010Run): ComputationRun {
  const { algorithm, agentConfig } = run;
  return {
    ...run,
    datasets: run.datasets.map((dataset) => ({
      ...dataset,
      decompress: dataset.decompress || undefined,
    })),
    algorithm: algorithm && {
      ...algorithm,
      algoType: algorithm.algoType || undefined,
      algoArgs: algorithm.algoArgs.length > 0 ? algorithm.algoArgs : undefined,
    },
    agentConfig: agentConfig && { host: '', ...agentConfig },
  };
}
