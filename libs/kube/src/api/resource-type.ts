import type {
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1Lease,
  V1MutatingWebhookConfiguration,
  V1Namespace,
  V1Node,
  V1Pod,
  V1Secret,
  V1Service,
  V1StatefulSet,
  V1ValidatingWebhookConfiguration,
} from '@kubernetes/client-node';
import type { BuiltIn, KubeObject } from './objects.js';

/** A resource of the API, as its group, version and plural name it in paths. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  /** Only carries the type; never set. */
  readonly of?: T;
}

/** `v1`, `apps/v1` */
export function apiVersionOf({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Path of the collection, or of the whole type where `namespace` is absent. */
export function pathOf(type: ResourceType, namespace?: string): string {
  const root = type.group === '' ? '/api' : '/apis';
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${apiVersionOf(type)}${within}/${type.plural}`;
}

const builtIn = <V>(
  group: string,
  kind: string,
  plural: string,
  namespaced = true,
): ResourceType<BuiltIn<V>> => ({ group, version: 'v1', kind, plural, namespaced });

const admission = 'admissionregistration.k8s.io';

/** Built-in resources, typed by client-node. */
export const builtIns = {
  configMaps: builtIn<V1ConfigMap>('', 'ConfigMap', 'configmaps'),
  namespaces: builtIn<V1Namespace>('', 'Namespace', 'namespaces', false),
  nodes: builtIn<V1Node>('', 'Node', 'nodes', false),
  pods: builtIn<V1Pod>('', 'Pod', 'pods'),
  secrets: builtIn<V1Secret>('', 'Secret', 'secrets'),
  services: builtIn<V1Service>('', 'Service', 'services'),
  statefulSets: builtIn<V1StatefulSet>('apps', 'StatefulSet', 'statefulsets'),
  leases: builtIn<V1Lease>('coordination.k8s.io', 'Lease', 'leases'),
  customResourceDefinitions: builtIn<V1CustomResourceDefinition>(
    'apiextensions.k8s.io',
    'CustomResourceDefinition',
    'customresourcedefinitions',
    false,
  ),
  mutatingWebhooks: builtIn<V1MutatingWebhookConfiguration>(
    admission,
    'MutatingWebhookConfiguration',
    'mutatingwebhookconfigurations',
    false,
  ),
  validatingWebhooks: builtIn<V1ValidatingWebhookConfiguration>(
    admission,
    'ValidatingWebhookConfiguration',
    'validatingwebhookconfigurations',
    false,
  ),
};
