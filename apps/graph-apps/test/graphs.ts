type Members = Record<string, unknown>;

/** A small graph that holds: two components over a volume. */
export function simpleGraph(config: Members = {}): Members {
  const chart = { repo: 'https://charts.example', name: 'worker', version: '1.0.0' };
  return {
    components: {
      producer: {
        chart,
        config,
        inputs: {},
        outputs: { out: { type: 'volume', flow: 'data' } },
        type: 'generic-service',
      },
      consumer: {
        chart,
        config: {},
        inputs: { in: { type: 'volume', flow: 'data' } },
        outputs: {},
      },
    },
    flows: { data: { type: 'volume', config: { size: '1Gi' } } },
  };
}

export interface BodyOptions {
  name?: string;
  namespace?: string;
  graph?: unknown;
  labels?: Record<string, string>;
  notes?: string;
}

/** The body of a POST of a graph. */
export function graphBody(options: BodyOptions = {}): Members {
  const { name = 'demo', namespace = 'team', graph = simpleGraph(), labels, notes } = options;
  return {
    apiVersion: 'rampart.petuum.com/v1beta2',
    kind: 'RampartGraph',
    metadata: { name, namespace, ...(labels && { labels }) },
    spec: { graph },
    ...(notes !== undefined && { notes }),
  };
}
