import type { Component, MountedType } from '../graph.js';
import { LABELS, ownershipLabels } from '../marks.js';
import { componentNamespace, flowNamespace, labelValue } from '../names.js';
import type { Manifest, RenderSubject } from './subject.js';

/** A Namespace of a graph: of one of its components, or of its flows of one type. */
export type Place = { component: string } | { flowType: MountedType };

export function componentOf(subject: RenderSubject, name: string): Component {
  const component = Object.hasOwn(subject.spec.components, name)
    ? subject.spec.components[name]
    : undefined;
  if (!component) throw new RangeError(`no component ${name}`);
  return component;
}

/** Name of the Namespace. */
export function namespaceOf(subject: RenderSubject, place: Place): string {
  if ('flowType' in place) return flowNamespace(subject.graph, place.flowType);
  const { namespace } = componentOf(subject, place.component);
  return componentNamespace(subject.graph, place.component, namespace);
}

/** Labels of every object in it. */
export function labelsOf({ graph }: RenderSubject, place: Place): Record<string, string> {
  const own = ownershipLabels(graph);
  return 'flowType' in place
    ? { ...own, [LABELS.flowType]: place.flowType }
    : { ...own, [LABELS.component]: labelValue(place.component) };
}

/** The Namespace itself (4.4). */
export function namespaceObject(subject: RenderSubject, place: Place): Manifest {
  const labels = { [LABELS.controlled]: 'true', ...labelsOf(subject, place) };
  const metadata = { name: namespaceOf(subject, place), labels };
  return { apiVersion: 'v1', kind: 'Namespace', metadata };
}

/** Metadata of an object in a place. */
export function metadataIn(
  subject: RenderSubject,
  place: Place,
  name: string,
): Manifest['metadata'] & { name: string } {
  return { name, namespace: namespaceOf(subject, place), labels: labelsOf(subject, place) };
}

/** Places of flows, with the names of their flows in order; only those that the graph needs. */
export function flowsOf(subject: RenderSubject, type: MountedType): string[] {
  return Object.entries(subject.spec.flows)
    .filter(([, flow]) => flow.type === type)
    .map(([name]) => name)
    .toSorted(byText);
}

/** By code unit, the same on every machine. */
export function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
