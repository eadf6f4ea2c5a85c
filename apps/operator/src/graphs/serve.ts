import { once } from 'node:events';
import type { Served, ServedOptions } from '../served.js';
import type { GraphCluster } from './cluster.js';

/** RampartGraphs. @param _cluster runs already, as the webhooks of the same process may share it */
export function serveGraphs(_options: ServedOptions, _cluster: GraphCluster): Served {
  return {
    start: () => undefined,
    stop: async () => undefined,
    lead: async ({ signal }) => {
      if (!signal.aborted) await once(signal, 'abort');
    },
  };
}
