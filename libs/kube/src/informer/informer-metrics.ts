import type { Metrics } from '@glacis/observability';

/** The series of one informer. */
export interface InformerMetrics {
  holds(objects: number): void;
  listed(): void;
  watchEnded(how: 'ended' | 'gone' | 'failed'): void;
}

export function informerMetrics(metrics: Metrics, resource: string): InformerMetrics {
  const objects = metrics.gauge({
    name: 'glacis_kube_objects',
    help: 'Objects in the copy of a resource',
    labels: ['resource'],
  });
  const lists = metrics.counter({
    name: 'glacis_kube_lists_total',
    help: 'Lists of all objects of a resource',
    labels: ['resource'],
  });
  const watches = metrics.counter({
    name: 'glacis_kube_watches_total',
    help: 'Watches that came to an end: in good order, for their age, or by a failure',
    labels: ['resource', 'end'],
  });
  return {
    holds: (count) => objects.set({ resource }, count),
    listed: () => lists.inc({ resource }),
    watchEnded: (end) => watches.inc({ resource, end }),
  };
}
