import prom from 'prom-client';
import { Histogram } from './histogram.js';

export interface MetricOptions<L extends string> {
  /** In Prometheus form, with unit: `glacis_certs_issued_total`. */
  name: string;
  help: string;
  labels?: readonly L[];
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds in the unit of the name. Default 1 ms to 10 s, for seconds. */
  buckets?: number[];
}

const defaultBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** All metrics of one process. Asking twice for a name gives the same metric. */
export class Metrics {
  readonly registry: prom.Registry = new prom.Registry();

  counter<L extends string = never>(
    options: MetricOptions<L> & {
      /** For counts that are kept elsewhere: called on the empty counter before each scrape to add them. */
      collect?: (counter: prom.Counter<L>) => void;
    },
  ): prom.Counter<L> {
    const { collect } = options;
    const own = collect && {
      collect(this: prom.Counter<L>): void {
        this.reset();
        collect(this);
      },
    };
    return this.once(options.name, () => new prom.Counter({ ...this.config(options), ...own }));
  }

  gauge<L extends string = never>(
    options: MetricOptions<L> & {
      /** Called before each scrape to set the value. */
      collect?: (gauge: prom.Gauge<L>) => void | Promise<void>;
    },
  ): prom.Gauge<L> {
    const { collect } = options;
    const own = collect && {
      collect(this: prom.Gauge<L>): void | Promise<void> {
        return collect(this);
      },
    };
    return this.once(options.name, () => new prom.Gauge({ ...this.config(options), ...own }));
  }

  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L> {
    const { name, help, labels = [], buckets: bounds = defaultBuckets } = options;
    return this.once(name, () => {
      const made = new Histogram<L>(name, help, { labels, bounds });
      this.registry.registerMetric(made as unknown as prom.Histogram);
      return made;
    });
  }

  /** Adds the series of the process itself: CPU, memory, event loop, garbage collection. Once per process. */
  observeProcess(): void {
    prom.collectDefaultMetrics({ register: this.registry });
  }

  /** The Prometheus text form; its content type is `registry.contentType`. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private config<L extends string>(
    options: MetricOptions<L>,
  ): {
    name: string;
    help: string;
    labelNames: L[];
    registers: prom.Registry[];
  } {
    return {
      name: options.name,
      help: options.help,
      labelNames: [...(options.labels ?? [])],
      registers: [this.registry],
    };
  }

  private once<M>(name: string, make: () => M): M {
    return (this.registry.getSingleMetric(name) as M | undefined) ?? make();
  }
}
