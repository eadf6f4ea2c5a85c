import type { RampartGraph } from '@glacis/graphs';
import type { Informer } from '@glacis/kube';
import type { Metrics } from '@glacis/observability';
import type { HelmOptions } from './helm/index.js';

const phases = ['Deploying', 'Deployed', 'Undeploying', 'Undeployed', 'Deleting', 'Failed'];

/** How many graphs are where (4.12). What is reconciled, waits and leads the runtime counts. */
export function observeGraphs(
  metrics: Metrics,
  { graphs }: { graphs: Pick<Informer<RampartGraph>, 'store'> },
): void {
  metrics.gauge({
    name: 'glacis_operator_graphs',
    help: 'RampartGraphs by phase; None: not looked at yet',
    labels: ['phase'],
    collect: (gauge) => {
      for (const phase of [...phases, 'None']) gauge.set({ phase }, 0);
      for (const { status } of graphs.store.values()) gauge.inc({ phase: status?.phase ?? 'None' });
    },
  });
}

/** Processes of helm, by what they did to which release. */
export function helmRunMetrics(metrics: Metrics): NonNullable<HelmOptions['onRun']> {
  const runs = metrics.counter({
    name: 'glacis_operator_helm_runs_total',
    help: 'Processes of helm by verb, release (empty for repositories) and how they ended',
    labels: ['verb', 'release', 'outcome'],
  });
  const seconds = metrics.histogram({
    name: 'glacis_operator_helm_seconds',
    help: 'Time of a process of helm',
    labels: ['verb'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  });
  return ({ verb, release = '', seconds: time, outcome }) => {
    runs.inc({ verb, release, outcome });
    seconds.observe({ verb }, time);
  };
}
