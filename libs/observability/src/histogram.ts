import type prom from 'prom-client';

type Value<L extends string> = prom.MetricValueWithName<L>;
type Kept = 'name' | 'help' | 'aggregator' | 'values';
type HistogramState<L extends string> = Pick<prom.MetricObjectWithValues<Value<L>>, Kept> & {
  type: 'histogram';
};

/** One combination of labels. */
class Series {
  /** Observations by the first bound that holds them, not cumulated; the last is beyond all bounds. */
  private readonly counts: Float64Array;
  private sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > (this.bounds[i] as number)) i += 1;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += value;
  }

  /** The lines of the Prometheus text form. */
  *values<L extends string>(name: string, labels: Partial<Record<L, string>>): Generator<Value<L>> {
    let total = 0;
    const told = (suffix: string, value: number, le?: object): Value<L> => ({
      metricName: `${name}_${suffix}`,
      labels: { ...le, ...labels },
      value,
    });
    for (const [i, count] of this.counts.entries()) {
      total += count;
      yield told('bucket', total, { le: this.bounds[i] ?? '+Inf' });
    }
    yield told('sum', this.sum);
    yield told('count', total);
  }
}

/**
 * A histogram for the registry of prom-client, whose own looks the labels up again at each observation: three of them
 * cost a request more than its routing.
 */
export class Histogram<L extends string = never> {
  readonly type = 'histogram';
  private readonly series = new Map<
    string,
    { labels: Partial<Record<L, string>>; series: Series }
  >();

  /** @param bounds upper bounds of the buckets, rising */
  constructor(
    readonly name: string,
    private readonly help: string,
    private readonly options: { labels: readonly L[]; bounds: readonly number[] },
  ) {
    // Without labels there is one series, which is shown from the beginning on.
    if (options.labels.length === 0) this.labels({});
  }

  /** The series of these labels, to be kept where they are observed often. */
  labels(labels: Partial<Record<L, string>>): Pick<Series, 'observe'> {
    const key = JSON.stringify(this.options.labels.map((name) => labels[name]));
    let found = this.series.get(key);
    if (!found) {
      found = { labels, series: new Series(this.options.bounds) };
      this.series.set(key, found);
    }
    return found.series;
  }

  observe(labels: Partial<Record<L, string>>, value: number): void {
    this.labels(labels).observe(value);
  }

  /** What prom-client asks for at each scrape. */
  async get(): Promise<HistogramState<L>> {
    const values = [...this.series.values()].flatMap(({ labels, series }) => [
      ...series.values(this.name, labels),
    ]);
    return { name: this.name, help: this.help, type: this.type, aggregator: 'sum', values };
  }
}
