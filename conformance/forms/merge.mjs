// {podSpec, preset, clusterHasNvidiaNode, result}: a pod with its preset. Twice gives the same as once.
import { isDeepStrictEqual } from 'node:util';
import { mutatePod } from '../../libs/graphs/dist/index.js';

export function fits(input) {
  return 'podSpec' in input && 'preset' in input;
}

export function run({ podSpec, preset, clusterHasNvidiaNode, result }) {
  const facts = { gpuNodes: clusterHasNvidiaNode === true };
  const once = mutatePod({ spec: podSpec }, preset, facts);
  const twice = mutatePod(once, preset, facts);
  const ours = isDeepStrictEqual(once, twice) ? once.spec : { once: once.spec, twice: twice.spec };
  return { recorded: result, ours };
}
