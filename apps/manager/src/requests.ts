import type { Metrics, Tracing } from '@glacis/observability';
import { Summary } from 'prom-client';

export interface RequestsOptions {
  metrics: Metrics;
  tracing: Tracing;
  /** Share of requests that get a span, 0 to 1. */
  traceRatio: number;
  random?: () => number;
}

/** Counts and traces the server's requests, as upstream managers do but with latencies in true microseconds. */
export class Requests {
  private readonly count;
  private readonly latency;

  constructor(private readonly options: RequestsOptions) {
    const { metrics } = options;
    this.count = metrics.counter({
      name: 'manager_api_request_count',
      help: 'Requests of the server, by method.',
      labels: ['method'],
    });
    this.latency = new Summary({
      name: 'manager_api_request_latency_microseconds',
      help: 'Time to handle a request of the server, in microseconds.',
      labelNames: ['method'],
      percentiles: [0.5, 0.9, 0.99],
      registers: [metrics.registry],
    });
  }

  /** Does the work of one request. */
  async handle<T>(method: string, id: string, work: () => Promise<T>): Promise<T> {
    const { tracing, traceRatio, random = Math.random } = this.options;
    const started = performance.now();
    this.count.inc({ method });
    try {
      if (random() >= traceRatio) return await work();
      return await tracing.span(`manager ${method}`, undefined, { id }, work);
    } finally {
      this.latency.observe({ method }, (performance.now() - started) * 1_000);
    }
  }
}
