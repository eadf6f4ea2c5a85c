import {
  copiedSecrets,
  edgesObjects,
  flowObjects,
  initJobs,
  namespaceObject,
  namespaceOf,
  type Component,
  type ComponentInfra,
  type Examination,
  type Manifest,
  type MountedType,
  type Place,
  type RenderSubject,
} from '@glacis/graphs';
import type { KubeObject } from '@glacis/kube';
import type { Mounts, Work } from './work.js';

/** On the Namespace of a component: the components that it needs, and the infra that its charts need and give. */
export const notes = {
  needs: 'glacis.dev/needs',
  requires: 'glacis.dev/requires',
  provides: 'glacis.dev/provides',
  /** Its pods have to be replaced, as the preset is another: written before, removed after. */
  restart: 'glacis.dev/restart',
} as const;

/** A Namespace of the graph, and what the operator itself puts into it. */
export interface PlannedPlace {
  place: Place;
  name: string;
  namespace: Manifest;
  /** Of the release `edges`, or of that of the flows. */
  objects: Manifest[];
  /** Secrets of the graph's Namespace that are copied here. */
  secrets: string[];
}

export interface PlannedComponent extends PlannedPlace {
  component: string;
  spec: Component;
}

export interface PlannedFlows extends PlannedPlace {
  type: MountedType;
  flows: string[];
  jobs: Manifest[];
}

/** All that a graph asks for, by name and in full. */
export interface Plan {
  subject: RenderSubject;
  components: PlannedComponent[];
  flows: PlannedFlows[];
}

export function planOf(
  { id, graph, settings }: Pick<Work, 'id' | 'graph' | 'settings'>,
  mounts: Mounts,
  infra?: Examination['infra'],
): Plan {
  const spec = graph.spec.graph;
  const render = { ...settings.render, kafkaBootstrap: settings.kafkaBootstrap() };
  const subject = { graph: id, spec, mounts, settings: render };
  const components = Object.entries(spec.components).map(([component, each]) => ({
    ...placeOf(subject, { component }, edgesObjects(subject, component)),
    component,
    spec: each,
  }));
  for (const planned of components) annotate(planned, infra?.get(planned.component));
  return { subject, components, flows: mountedTypes.flatMap((type) => flowsOf(subject, type)) };
}

const mountedTypes = ['volume', 'repository'] as const;

function placeOf(subject: RenderSubject, place: Place, objects: Manifest[]): PlannedPlace {
  const namespace = namespaceObject(subject, place);
  const secrets = copiedSecrets(subject, place);
  return { place, name: namespaceOf(subject, place), namespace, objects, secrets };
}

/** Also where there is nothing to note, as what was noted before has to go. */
function annotate({ namespace, spec }: PlannedComponent, infra?: ComponentInfra): void {
  namespace.metadata.annotations = {
    [notes.needs]: (spec.needs ?? []).join(','),
    ...(infra && {
      [notes.requires]: infra.requires.join(','),
      [notes.provides]: infra.provides.join(','),
    }),
  };
}

/** The names in a note of a Namespace. */
export function namesIn(namespace: KubeObject, note: (typeof notes)[keyof typeof notes]): string[] {
  const text = namespace.metadata.annotations?.[note] ?? '';
  return text === '' ? [] : text.split(',');
}

function flowsOf(subject: RenderSubject, type: MountedType): PlannedFlows[] {
  const flows = Object.keys(subject.spec.flows).filter(
    (name) => subject.spec.flows[name]?.type === type,
  );
  if (flows.length === 0) return [];
  const objects = flowObjects(subject, type).map(keptByHelm);
  const planned = placeOf(subject, { flowType: type }, objects);
  return [{ ...planned, type, flows, jobs: type === 'repository' ? initJobs(subject) : [] }];
}

/** The data of a flow goes when nobody uses it any more, not when its claim leaves a release. */
function keptByHelm(object: Manifest): Manifest {
  if (object.kind !== 'PersistentVolumeClaim') return object;
  const annotations = { ...object.metadata.annotations, 'helm.sh/resource-policy': 'keep' };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Names of the Namespaces of components, in order. */
export const componentNamespaces = ({ components }: Plan): string[] =>
  components.map(({ name }) => name).toSorted();
