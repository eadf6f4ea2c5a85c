import type { Metrics } from '@glacis/observability';

/** The series of one controller. */
export interface ControllerMetrics {
  waiting(keys: number): void;
  /** @param ms that a key has waited for its turn */
  waited(ms: number): void;
  /** @returns to be called with `done`, the code of a `KubeError`, or `failed` */
  begin(): { end(result: string): void };
}

export function controllerMetrics(metrics: Metrics, controller: string): ControllerMetrics {
  const depth = metrics.gauge({
    name: 'glacis_kube_queue_depth',
    help: 'Keys that wait to be reconciled',
    labels: ['controller'],
  });
  const wait = metrics.histogram({
    name: 'glacis_kube_queue_wait_seconds',
    help: 'Time for which a key has waited for its turn',
    labels: ['controller'],
  });
  const reconciles = metrics.counter({
    name: 'glacis_kube_reconciles_total',
    help: 'Reconciles by their result: done, the code of an API error, or failed',
    labels: ['controller', 'result'],
  });
  const seconds = metrics.histogram({
    name: 'glacis_kube_reconcile_seconds',
    help: 'Time of a reconcile',
    labels: ['controller'],
  });
  return {
    waiting: (keys) => depth.set({ controller }, keys),
    waited: (ms) => wait.observe({ controller }, ms / 1000),
    begin: () => {
      const started = performance.now();
      return {
        end: (result) => {
          reconciles.inc({ controller, result });
          seconds.observe({ controller }, (performance.now() - started) / 1000);
        },
      };
    },
  };
}
