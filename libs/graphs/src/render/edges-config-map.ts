import { kubernetesView, rampartView } from '../names.js';
import { edgesOf, type PlacedEdge } from './edges.js';
import { componentOf, metadataIn } from './places.js';
import type { Manifest, RenderSubject } from './subject.js';

/** What containers of a component read below `/.RAMPART` (4.6). */
export function edgesConfigMap(subject: RenderSubject, component: string): Manifest {
  const name = kubernetesView(component);
  const edges = edgesOf(component, componentOf(subject, component));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataIn(subject, { component }, name),
    data: {
      component: name,
      edges: edges.length === 0 ? '[]\n' : edges.map(lineOf).join(''),
    },
  };
}

/** Names are quoted: some would be numbers or booleans in YAML. */
function lineOf({ name, part, edge }: PlacedEdge): string {
  return [
    `- name: ${JSON.stringify(rampartView(name))}`,
    `  type: FlowType.${edge.type.toUpperCase()}`,
    `  part: IOPart.${part.toUpperCase()}\n`,
  ].join('\n');
}
