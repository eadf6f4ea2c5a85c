import type { Component, Edge, Flow, Graph } from '../../src/graph.js';
import { isMounted } from '../../src/graph.js';
import { rampartView } from '../../src/names.js';
import type { RenderSettings, RenderSubject } from '../../src/render/index.js';

export const settings: RenderSettings = {
  registry: 'registry.example',
  storageClass: 'rampart',
  flowImage: 'glacis:1',
  livenessImage: 'glacis:1',
  repositoryImage: 'registry.example/dev/dvc:2.9.3',
  initTimeoutSeconds: 600,
  pulsar: { service: 'proxy', namespace: 'pulsar', clientPort: '6650' },
  kafkaBootstrap: 'kafka:9092',
};

const chart = { repo: 'https://charts.example', name: 'c', version: '1.0.0' };

export const component = (
  inputs: Record<string, Edge> = {},
  outputs: Record<string, Edge> = {},
  rest: Partial<Component> = {},
): Component => ({ chart, config: {}, inputs, outputs, ...rest });

export const edge = (type: Edge['type'], flow: string): Edge => ({ type, flow }) as Edge;

/** Mount paths are those of an unannotated chart. */
export function subjectOf(
  components: Record<string, Component>,
  flows: Record<string, Flow> = {},
  own: Partial<RenderSettings> = {},
): RenderSubject {
  const graph = { namespace: 'ns', name: 'g', uid: '7d9e8f7a-0000-4000-8000-000000000000' };
  const spec: Graph = { components, flows };
  return { graph, spec, mounts: mountsOf(spec), settings: { ...settings, ...own } };
}

export function mountsOf({ components }: Graph): RenderSubject['mounts'] {
  return new Map(
    Object.entries(components).map(([name, { inputs, outputs }]) => {
      const edges = [...Object.entries(inputs), ...Object.entries(outputs)];
      const mounted = edges.filter(([, each]) => isMounted(each));
      return [name, new Map(mounted.map(([each]) => [each, `/${rampartView(each)}`]))];
    }),
  );
}
