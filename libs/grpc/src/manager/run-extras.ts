import type { ComputationRun } from './messages.js';

/** Members of a run that only some agents know (`backends.md` 9). */
export type RunExtra =
  | 'source'
  /** A source of another type than `oci-image`. */
  | 'source.type'
  | 'decompress'
  | 'algo_type'
  | 'algo_args'
  | 'kbs'
  /** A key broker for one dataset or the algorithm. */
  | 'asset.kbs';

/** The members of a run that a client may not know and would drop silently. */
export function extrasOf(run: ComputationRun): RunExtra[] {
  const { algorithm, datasets } = run;
  const assets = algorithm ? [algorithm, ...datasets] : datasets;
  const present: [RunExtra, boolean][] = [
    ['source', assets.some(({ source }) => source !== undefined)],
    ['source.type', assets.some(({ source }) => source && source.type !== 'oci-image')],
    ['decompress', datasets.some(({ decompress }) => decompress === true)],
    ['algo_type', (algorithm?.algoType ?? '') !== ''],
    ['algo_args', (algorithm?.algoArgs ?? []).length > 0],
    ['kbs', run.kbs !== undefined],
    ['asset.kbs', assets.some(({ kbs }) => kbs !== undefined)],
  ];
  return present.filter(([, is]) => is).map(([extra]) => extra);
}
