import type {
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1DaemonSet,
  V1Deployment,
  V1Ingress,
  V1Job,
  V1Lease,
  V1MutatingWebhookConfiguration,
  V1Namespace,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StatefulSet,
  V1StorageClass,
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
  persistentVolumes: builtIn<V1PersistentVolume>(
    '',
    'PersistentVolume',
    'persistentvolumes',
    false,
  ),
  persistentVolumeClaims: builtIn<V1PersistentVolumeClaim>(
    '',
    'PersistentVolumeClaim',
    'persistentvolumeclaims',
  ),
  pods: builtIn<V1Pod>('', 'Pod', 'pods'),
  secrets: builtIn<V1Secret>('', 'Secret', 'secrets'),
  services: builtIn<V1Service>('', 'Service', 'services'),
  serviceAccounts: builtIn<V1ServiceAccount>('', 'ServiceAccount', 'serviceaccounts'),
  daemonSets: builtIn<V1DaemonSet>('apps', 'DaemonSet', 'daemonsets'),
  deployments: builtIn<V1Deployment>('apps', 'Deployment', 'deployments'),
  statefulSets: builtIn<V1StatefulSet>('apps', 'StatefulSet', 'statefulsets'),
  jobs: builtIn<V1Job>('batch', 'Job', 'jobs'),
  ingresses: builtIn<V1Ingress>('networking.k8s.io', 'Ingress', 'ingresses'),
  networkPolicies: builtIn<V1NetworkPolicy>(
    'networking.k8s.io',
    'NetworkPolicy',
    'networkpolicies',
  ),
  storageClasses: builtIn<V1StorageClass>(
    'storage.k8s.io',
    'StorageClass',
    'storageclasses',
    false,
  ),
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
