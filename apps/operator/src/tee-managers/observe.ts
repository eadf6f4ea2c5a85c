import type { Metrics } from '@glacis/observability';
import type { ClusterCache } from './cache.js';
import { phases } from './tee-manager.schema.js';

/** What an operator of the operator watches: how many TeeManagers are where, and the certificate that ends first. */
export function observePhases(metrics: Metrics, cache: Pick<ClusterCache, 'managers'>): void {
  metrics.gauge({
    name: 'glacis_operator_tee_managers',
    help: 'TeeManagers by phase',
    labels: ['phase'],
    collect: (gauge) => {
      for (const phase of phases) gauge.set({ phase }, 0);
      for (const { status } of cache.managers.values()) {
        gauge.inc({ phase: status?.phase ?? 'Pending' });
      }
    },
  });
  metrics.gauge({
    name: 'glacis_operator_first_certificate_end_seconds',
    help: 'Unix time at which the first certificate of a TeeManager ends; 0 without any',
    collect: (gauge) => {
      const ends = cache.managers
        .values()
        .flatMap(({ status }) => status?.certificateNotAfter ?? [])
        .map((end) => Date.parse(end) / 1000);
      gauge.set(ends.length === 0 ? 0 : Math.min(...ends));
    },
  });
}
