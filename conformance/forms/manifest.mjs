// A RampartGraph ready for `kubectl apply`: it is admitted where pulsar is there.
import { validateReview } from '../../libs/graphs/dist/index.js';
import { clusterOf } from './context.mjs';
import { unexpected } from './faults.mjs';

export function fits({ kind }) {
  return kind === 'RampartGraph';
}

export function run(object) {
  const { namespace = 'default', name } = object.metadata;
  const cluster = clusterOf({
    providedInfra: { pulsar: { namespace: 'rampart-system', name: 'infra' } },
  });
  const request = { operation: 'CREATE', namespace, name, object };
  const { allowed, status } = validateReview(request, cluster, unexpected);
  return { recorded: 'allow', ours: allowed ? 'allow' : status.message };
}
