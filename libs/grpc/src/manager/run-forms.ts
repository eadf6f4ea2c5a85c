import type { ComputationRunReq as SeedRun } from '../generated/manager/seed/manager.js';
import type { ComputationRunReq as V02Run } from '../generated/manager/v0.2/manager.js';
import type { ComputationRun } from './messages.js';

/**
 * Managers of `seed` know parties by name and not by key: the base64 of a key becomes the name, and the file name
 * (or else the position) the id of a dataset.
 */
export function toSeedRun(run: ComputationRun): SeedRun {
  const { algorithm } = run;
  return {
    ...run,
    datasets: run.datasets.map(({ userKey, filename, hash }, index) => ({
      provider: userKey.toString('base64'),
      id: filename === '' ? String(index) : filename,
      hash,
    })),
    algorithm: algorithm && {
      provider: algorithm.userKey.toString('base64'),
      id: 'algorithm',
      hash: algorithm.hash,
    },
    resultConsumers: run.resultConsumers.map(({ userKey }) => userKey.toString('base64')),
  };
}

export function fromSeedRun(run: SeedRun): ComputationRun {
  const { algorithm } = run;
  return {
    ...run,
    datasets: run.datasets.map(({ provider, id, hash }) => ({
      hash,
      userKey: key(provider),
      filename: id,
    })),
    algorithm: algorithm && { hash: algorithm.hash, userKey: key(algorithm.provider) },
    resultConsumers: run.resultConsumers.map((consumer) => ({ userKey: key(consumer) })),
  };
}

/** Datasets of `v0.2` have no file name. */
export function fromV02Run(run: V02Run): ComputationRun {
  return { ...run, datasets: run.datasets.map((dataset) => ({ ...dataset, filename: '' })) };
}

function key(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
