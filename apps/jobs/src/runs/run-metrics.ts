import { Metrics } from '@glacis/observability';
import { Store } from '@glacis/store';
import { Inject, Injectable } from '@nestjs/common';
import { waitingJobs } from './leases.store.js';
import { Worker } from './worker.js';

/** How much there is to run, and how much is running. */
@Injectable()
export class RunMetrics {
  constructor(
    @Inject(Metrics) metrics: Metrics,
    @Inject(Store) store: Store,
    @Inject(Worker) worker: Worker,
  ) {
    metrics.gauge({
      name: 'glacis_jobs_waiting',
      help: 'Submitted jobs that no replica has begun with.',
      // Without the database the last count stands.
      collect: (gauge) =>
        waitingJobs(store).then(
          (count) => gauge.set(count),
          () => undefined,
        ),
    });
    metrics.gauge({
      name: 'glacis_jobs_running',
      help: 'Jobs that this replica is at work on.',
      collect: (gauge) => gauge.set(worker.running),
    });
  }
}
