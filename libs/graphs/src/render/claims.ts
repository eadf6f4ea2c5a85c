import { claimName, labelValue } from '../names.js';
import type { Flow } from '../graph.js';
import { byText, componentOf, flowsOf, metadataIn, type Place } from './places.js';
import { repositoryFacts } from './repository-flow.js';
import type { Manifest, RenderSubject } from './subject.js';

/** Beside the labels of its place: the flow that an object is of. */
export const FLOW_LABEL = 'glacis.dev/flow';

/** Claims of a place (4.6 to 4.8): those of the flows that a component uses, or of all flows of a type. */
export function claimsIn(subject: RenderSubject, place: Place): Manifest[] {
  return claimedFlows(subject, place).map(([name, size]) => claim(subject, place, { name, size }));
}

/** Flows with a claim in the place, by name, and their sizes. */
function claimedFlows(subject: RenderSubject, place: Place): [string, string][] {
  return flowsIn(subject, place).flatMap((name) => {
    const size = claimedSize(subject.spec.flows[name]);
    return size === undefined ? [] : [[name, size] as [string, string]];
  });
}

/** Names of the flows of a place, each once and in order. */
export function flowsIn(subject: RenderSubject, place: Place): string[] {
  if ('flowType' in place) return flowsOf(subject, place.flowType);
  const { inputs, outputs } = componentOf(subject, place.component);
  const edges = [...Object.values(inputs), ...Object.values(outputs)];
  return [...new Set(edges.map(({ flow }) => flow))].toSorted(byText);
}

function claimedSize(flow: Flow | undefined): string | undefined {
  if (flow?.type === 'volume') return flow.config.size;
  if (flow?.type !== 'repository') return undefined;
  const { hasClaim, size } = repositoryFacts(flow.config);
  return hasClaim ? size : undefined;
}

function claim(
  subject: RenderSubject,
  place: Place,
  { name, size }: { name: string; size: string },
): Manifest {
  const metadata = metadataIn(subject, place, claimName(subject.graph, name));
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...metadata, labels: { ...metadata.labels, [FLOW_LABEL]: labelValue(name) } },
    spec: {
      accessModes: ['ReadWriteMany'],
      storageClassName: subject.settings.storageClass,
      resources: { requests: { storage: size } },
    },
  };
}
