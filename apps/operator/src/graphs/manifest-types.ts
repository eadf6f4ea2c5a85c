import { resources } from '@glacis/graphs';
import { builtIns, type ResourceType } from '@glacis/kube';

/** Types of what the operator renders. */
export const renderedTypes: readonly ResourceType[] = [
  resources.presets,
  builtIns.configMaps,
  builtIns.secrets,
  builtIns.persistentVolumeClaims,
  builtIns.services,
  builtIns.deployments,
  builtIns.jobs,
];

/** Types of charts' objects that are missed at once. */
export const watchedTypes: readonly ResourceType[] = [
  builtIns.configMaps,
  builtIns.secrets,
  builtIns.persistentVolumeClaims,
  builtIns.services,
  builtIns.deployments,
  builtIns.statefulSets,
  builtIns.daemonSets,
  builtIns.jobs,
  builtIns.ingresses,
];

const byKind = new Map(
  [...renderedTypes, builtIns.namespaces as ResourceType].map((type) => [type.kind, type]),
);

/** @throws {RangeError} for a kind that nobody renders */
export function typeOfKind(kind: string): ResourceType {
  const type = byKind.get(kind);
  if (!type) throw new RangeError(`nobody renders a ${kind}`);
  return type;
}
