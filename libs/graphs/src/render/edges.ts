import type { Component, Edge } from '../graph.js';
import { kafkaTopic, pulsarTopic, rampartView } from '../names.js';
import { byText } from './places.js';
import type { RenderSubject } from './subject.js';

export type Part = 'input' | 'output';

/** An edge of a component. */
export interface PlacedEdge {
  component: string;
  name: string;
  part: Part;
  edge: Edge;
}

/** Inputs and outputs together, by their original names. */
export function edgesOf(name: string, { inputs, outputs }: Component): PlacedEdge[] {
  const placed = (part: Part, edges: Record<string, Edge>): PlacedEdge[] =>
    Object.entries(edges).map(([edge, value]) => ({
      component: name,
      name: edge,
      part,
      edge: value,
    }));
  return [...placed('input', inputs), ...placed('output', outputs)].toSorted((a, b) =>
    byText(a.name, b.name),
  );
}

/** End of the names of its environment variables: `INPUT_<edge>` or `OUTPUT_<edge>`. */
export function variableSuffix({ part, name }: PlacedEdge): string {
  return `${part.toUpperCase()}_${rampartView(name)}`;
}

/** Where a volume or repository edge is mounted. */
export function mountPathOf({ mounts }: RenderSubject, { component, name }: PlacedEdge): string {
  const path = mounts.get(component)?.get(name);
  if (path === undefined) throw new RangeError(`no mount path of ${component}/${name}`);
  return path;
}

/** What a component is told of an edge, as variable and as value of helm (4.5). */
export function resourceOf(subject: RenderSubject, placed: PlacedEdge): string {
  const { graph, settings } = subject;
  const { edge } = placed;
  if (edge.type === 'kafka') {
    return `kafka://${settings.kafkaBootstrap}/${kafkaTopic(graph, edge.flow)}`;
  }
  if (edge.type === 'pulsar') {
    const { service, namespace, clientPort } = settings.pulsar;
    const port = clientPort === '' ? '' : `:${clientPort}`;
    const host = `${service}.${namespace}.svc.cluster.local${port}`;
    return `pulsar://${host}/${pulsarTopic(graph, edge.flow)}`;
  }
  return mountPathOf(subject, placed);
}
