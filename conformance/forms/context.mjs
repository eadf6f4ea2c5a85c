// The cluster and the charts that a validation case speaks of.
import {
  ClusterIndex,
  componentNamespace,
  flowNamespace,
  ownershipLabels,
} from '../../libs/graphs/dist/index.js';

export function clusterOf({ existingNamespaces = [], existingGraphs = [], providedInfra = {} }) {
  const cluster = new ClusterIndex({ kafkaConfigured: false });
  for (const name of existingNamespaces) cluster.setNamespace(name, {});
  for (const { metadata, spec } of existingGraphs) {
    cluster.setGraph(metadata, spec);
    labelNamespaces(cluster, metadata, spec);
  }
  for (const [graph, names] of bySource(providedInfra)) {
    const [namespace, name] = graph.split('/');
    cluster.setInfra({ graph: { namespace, name }, createdAt: '2022-01-01T00:00:00Z' }, names);
  }
  cluster.ready = true;
  return cluster;
}

/** A namespace that is there and that a stored graph claims carries that graph's labels: Rampart had made it. */
function labelNamespaces(cluster, graph, spec) {
  const { 'glacis.dev/graph-uid': _, ...labels } = ownershipLabels({ uid: '', ...graph });
  const claimed = [
    ...entries(spec?.graph?.components).map(([name, value]) =>
      componentNamespace(graph, name, value?.namespace),
    ),
    ...entries(spec?.graph?.flows).map(([, value]) => flowNamespace(graph, value?.type)),
  ];
  for (const namespace of claimed) {
    if (cluster.namespace(namespace)) cluster.setNamespace(namespace, labels);
  }
}

const entries = (value) => Object.entries(value ?? {});

function bySource(providedInfra) {
  const sources = Object.entries(providedInfra).map(([infra, { namespace, name }]) => ({
    infra,
    graph: `${namespace}/${name}`,
  }));
  return new Map(
    sources.map(({ graph }) => [
      graph,
      sources.filter((other) => other.graph === graph).map(({ infra }) => infra),
    ]),
  );
}

/** A chart that a case does not speak of has no annotation. */
export function chartsOf({ secrets = {}, charts = {} }) {
  return {
    operatorNamespace: 'rampart-system',
    auxChart: { repo: 'https://charts.example.com/aux', name: 'auth-aux', version: 'latest' },
    secret: async (namespace, name) => own(secrets, `${namespace}/${name}`),
    annotation: async ({ name, version }) => own(charts, `${name}@${version}`) ?? own(charts, name),
  };
}

function own(map, key) {
  return Object.hasOwn(map, key) ? (map[key] ?? undefined) : undefined;
}
