import { ClusterIndex, type ChartSource, type Graph, type GraphName } from '../../src/index.js';

export const NAME: GraphName = { namespace: 'team', name: 'demo' };

/** A legal graph with a flow of each kind; every call gives one of its own. */
export function exampleGraph(): Graph {
  const chart = { repo: 'https://charts.example.com/r', name: 'one', version: '0.1.0' };
  return {
    components: {
      a: {
        chart,
        config: {},
        inputs: { data: { type: 'volume', flow: 'files', config: { mountPath: '/data' } } },
        outputs: { news: { type: 'pulsar', flow: 'topic' }, log: { type: 'kafka', flow: 'queue' } },
      },
      b: {
        chart: { ...chart, name: 'two' },
        config: {},
        inputs: { code: { type: 'repository', flow: 'git' } },
        outputs: { data: { type: 'volume', flow: 'files' } },
        needs: ['a'],
      },
    },
    flows: {
      files: { type: 'volume', config: { size: '1Gi' } },
      git: { type: 'repository', config: { kind: 'git', size: '1Gi' } },
      dvc: { type: 'repository', config: { kind: 'dvc', size: '1Gi' } },
      topic: { type: 'pulsar' },
      queue: { type: 'kafka' },
    },
  };
}

/** Ready, with pulsar and kafka. */
export function exampleCluster(): ClusterIndex {
  const cluster = new ClusterIndex({ kafkaConfigured: true });
  const graph = { namespace: 'system', name: 'infra' };
  cluster.setInfra({ graph, createdAt: '2026-01-01T00:00:00Z' }, ['pulsar']);
  cluster.ready = true;
  return cluster;
}

export interface Charts {
  /** Annotation by chart name. */
  annotations?: Record<string, string>;
  /** Data by `namespace/name`. */
  secrets?: Record<string, Record<string, string>>;
}

export function exampleCharts({ annotations = {}, secrets = {} }: Charts = {}): ChartSource {
  return {
    operatorNamespace: 'system',
    auxChart: { repo: 'https://charts.example.com/aux', name: 'aux', version: 'latest' },
    secret: async (namespace, name) => secrets[`${namespace}/${name}`],
    annotation: async ({ name }) => annotations[name],
  };
}

/** A fault of a checker fails the test. */
export function unexpected(error: unknown): never {
  throw error;
}
